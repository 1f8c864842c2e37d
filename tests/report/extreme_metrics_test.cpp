// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "nbs/base/random.h"
#include "nbs/record/metrics_file.h"
#include "nbs/report/report.h"

#include "markup.h"
#include "scratch.h"

using namespace nbs::test;
using nbs::record::read_metrics;

namespace {

std::string page_with(const std::string& metrics) {
  const Scratch scratch;
  scratch.write("run/metrics.jsonl", metrics);
  nbs::report::write_run_report(scratch / "run");
  return contents(scratch / "run/report.html");
}

// The numbers of all coordinates of a page's drawings.
std::vector<double> coordinates(const std::string& page) {
  std::vector<double> all;
  for (const char* name : {"x", "y", "x1", "x2", "y1", "y2", "cx", "cy"}) {
    for (const auto& text : attributes(page, name))
      all.push_back(std::stod(text));
  }
  for (const auto& points : attributes(page, "points")) {
    std::size_t at = 0;
    while (at < points.size()) {
      const auto end = std::min(points.find_first_of(" ,", at), points.size());
      all.push_back(std::stod(points.substr(at, end - at)));
      at = end + 1;
    }
  }
  return all;
}

void check_page(const std::string& page) {
  CHECK(markup_problem(page) == "");
  for (const double value : coordinates(page)) {
    if (std::isfinite(value) && value >= -10 && value <= 430) continue;
    CAPTURE(value);
    FAIL("a coordinate lies outside of the drawing");
  }
  CHECK(page.size() < 500000);
}

std::string line(const std::string& iteration, const std::string& value) {
  return "{\"iteration\":" + iteration + ",\"l_pred\":" + value + ",\"other\":" + value + "}\n";
}

}  // namespace

TEST_CASE("A curve whose values differ by one unit in the last place is drawn as a constant") {
  for (const double value : {0.6931471805599453, 1.0, 1e-9, 12345.678, 1e22, 1e300}) {
    CAPTURE(value);
    const auto page =
        page_with(line("19", fmt::format("{}", value)) + line("20", fmt::format("{}", std::nextafter(value, 1e301))));
    check_page(page);
    const auto lines = attributes(page, "points");
    REQUIRE(lines.size() == 2);
    // "x,y x,y": one height.
    CHECK(lines[0].substr(lines[0].rfind(',') + 1) ==
          lines[0].substr(lines[0].find(',') + 1, lines[0].find(' ') - lines[0].find(',') - 1));
  }
}

TEST_CASE("Values at the ends of the range of numbers are drawn inside the plot") {
  const std::vector<std::string> numbers = {"1.7976931348623157e308",
                                            "-1.7976931348623157e308",
                                            "5e-324",
                                            "-5e-324",
                                            "-0.0",
                                            "1e-310",
                                            "0",
                                            "1",
                                            "1e22",
                                            "-1e-300"};
  for (const auto& first : numbers) {
    for (const auto& second : numbers) {
      CAPTURE(first);
      CAPTURE(second);
      const auto page = page_with(line("0", first) + line("1", second) + line("2", "null") + line("3", "1e999"));
      check_page(page);
      CHECK(without_scripts(page).find("nan") == std::string::npos);
      CHECK(page.find(">inf") == std::string::npos);
      CHECK(page.find("1 of the lines in metrics.jsonl") != std::string::npos);
    }
  }
}

TEST_CASE("Whole pages of random numbers are drawn inside the plot") {
  nbs::Random random(3);
  for (int k = 0; k < 60; ++k) {
    std::string metrics;
    std::uint64_t iteration = 0;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t bits = random.bits();
      double value = 0;
      std::memcpy(&value, &bits, sizeof value);
      if (!std::isfinite(value) || random.below(4) == 0) value = random.uniform();
      metrics += line(fmt::format("{}", iteration), fmt::format("{}", value));
      iteration += 1 + (random.below(8) == 0 ? random.bits() >> (14 + random.below(48)) : 0);
    }
    CAPTURE(k);
    check_page(page_with(metrics));
  }
}

TEST_CASE("An iteration that no run reaches makes its line unreadable, not the axis endless") {
  for (const char* iteration : {"-1", "-9223372036854775808", "9223372036854775807", "9223372036854775808",
                                "18446744073709551615", "1000000000000000", "1e30", "0.5", "\"7\"", "null", "true"}) {
    CAPTURE(iteration);
    const Scratch scratch;
    const auto file = scratch.write("run/metrics.jsonl", line("0", "1") + line(iteration, "2") + line("1", "3"));
    const auto metrics = read_metrics(file);
    CHECK(metrics.unreadable_lines == 1);
    CHECK(metrics.iterations == 2);
    REQUIRE(metrics.find("l_pred") != nullptr);
    CHECK(metrics.find("l_pred")->points.size() == 2);
    check_page(page_with(contents(file)));
  }
  check_page(page_with(line("0", "1") + line("999999999999999", "2")));
}

TEST_CASE("Damaged lines are counted, and the others are drawn") {
  const std::string many_brackets(60000, '[');
  std::string many_keys = "{\"iteration\":1";
  for (int i = 0; i < 200000; ++i)
    many_keys += fmt::format(",\"k{}\":1", i);
  const std::vector<std::string> damaged = {"{",
                                            "[]",
                                            "7",
                                            "null",
                                            "{\"iteration\":0",
                                            "\"text\"",
                                            std::string(30, '\0'),
                                            "{\"iteration\":1,\"a\":NaN}",
                                            "{\"iteration\":1,\"a\":1e400}",
                                            "{\"iteration\":1,\"\xFF\xFE\":1}",
                                            many_brackets,
                                            many_keys + "}"};
  std::string metrics = line("0", "1");
  for (const auto& text : damaged)
    metrics += text + "\n";
  const auto page = page_with(metrics + line("1", "2"));
  check_page(page);
  CHECK(page.find(fmt::format("{} of the lines in metrics.jsonl could not be read", damaged.size())) !=
        std::string::npos);
  CHECK(attributes(page, "points").size() == 2);
}

TEST_CASE("Random damage to metrics.jsonl never leaves the drawing") {
  std::string whole;
  for (int i = 0; i < 12; ++i)
    whole += fmt::format("{{\"iteration\":{},\"ae_loss\":{},\"l_pred\":0.{},\"best\":1}}\n", i, 1.5 / (i + 1), i);
  nbs::Random random(5);
  for (int k = 0; k < 300; ++k) {
    std::string text = whole;
    for (std::int64_t n = random.below(6); n >= 0; --n) {
      const auto at = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(text.size())));
      const std::int64_t kind = random.below(3);
      if (kind == 0) text[at] = static_cast<char>(random.below(256));
      if (kind == 1) text.insert(at, std::string(1 + static_cast<std::size_t>(random.below(20)), '9'));
      if (kind == 2) text.erase(at, 1 + static_cast<std::size_t>(random.below(9)));
    }
    CAPTURE(k);
    check_page(page_with(text));
  }
}

TEST_CASE("Of thousands of values only so many are drawn, and the page says so") {
  std::string metrics = "{\"iteration\":0";
  for (int i = 0; i < 3000; ++i)
    metrics += fmt::format(",\"k{}\":1", i);
  const auto page = page_with(metrics + "}\n");
  CHECK(count_of(page, "<svg") == 100);
  CHECK(page.find("2900 more values are in metrics.jsonl; only the first 100 are drawn") != std::string::npos);
}

TEST_CASE("metrics.jsonl that is no file is said to be none, and does not make the report wait") {
  const Scratch scratch;
  scratch.write("run/resolved.toml", "name = \"a\"\n");
  REQUIRE(mkfifo((scratch / "run/metrics.jsonl").c_str(), 0600) == 0);
  nbs::report::write_run_report(scratch / "run");
  CHECK(contents(scratch / "run/report.html").find("it is no regular file") != std::string::npos);
}

TEST_CASE("Names that are no UTF-8 do not make the page invalid") {
  const Scratch scratch;
  scratch.write("r\xFF\xC3x/metrics.jsonl", line("0", "1"));
  nbs::report::write_folder_report(scratch.path());
  const auto page = contents(scratch / "r\xFF\xC3x/report.html");
  CHECK(page.find("<h1>r\xEF\xBF\xBD\xEF\xBF\xBDx ") != std::string::npos);
  CHECK(page.find('\xFF') == std::string::npos);
}
