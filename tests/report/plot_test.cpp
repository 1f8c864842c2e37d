// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <sstream>

#include <doctest/doctest.h>

#include "nbs/report/report.h"

#include "markup.h"
#include "scratch.h"

using namespace nbs::test;

namespace {

struct Position {
  double x = 0;
  double y = 0;
};

// The polylines of the first plot whose caption holds `title`.
std::vector<std::vector<Position>> lines_of(const std::string& html, const std::string& title) {
  const auto begin = html.find("<b>" + title);
  REQUIRE(begin != std::string::npos);
  const std::string figure = html.substr(begin, html.find("</figure>", begin) - begin);
  std::vector<std::vector<Position>> lines;
  for (const auto& points : attributes(figure, "points")) {
    auto& line = lines.emplace_back();
    std::istringstream in(points);
    Position at;
    char comma = 0;
    while (in >> at.x >> comma >> at.y)
      line.push_back(at);
  }
  return lines;
}

std::string page_for(const std::string& metrics) {
  const Scratch scratch;
  scratch.write("run/metrics.jsonl", metrics);
  nbs::report::write_run_report(scratch / "run");
  return contents(scratch / "run/report.html");
}

std::string line(int iteration, const std::string& value) {
  return "{\"iteration\":" + std::to_string(iteration) + ",\"ae_loss\":" + value + "}\n";
}

}  // namespace

TEST_CASE("Points lie in proportion on linear axes") {
  const auto lines = lines_of(page_for(line(0, "1") + line(1, "2") + line(2, "5")), "Autoencoder loss");
  REQUIRE(lines.size() == 1);
  REQUIRE(lines[0].size() == 3);
  const auto& p = lines[0];
  CHECK(p[1].x - p[0].x == doctest::Approx(p[2].x - p[1].x).epsilon(0.01));
  // A quarter of the way from 1 to 5; larger values are higher up.
  CHECK(p[0].y > p[2].y);
  CHECK((p[0].y - p[1].y) / (p[0].y - p[2].y) == doctest::Approx(0.25).epsilon(0.01));
}

TEST_CASE("Losses that span decades get a logarithmic axis") {
  const auto lines = lines_of(page_for(line(0, "0.001") + line(1, "0.01") + line(2, "1")), "Autoencoder loss");
  const auto& p = lines.at(0);
  CHECK((p[0].y - p[1].y) / (p[0].y - p[2].y) == doctest::Approx(1.0 / 3).epsilon(0.01));
}

TEST_CASE("Values that are missing or not finite break the curve") {
  const auto page = page_for(line(0, "1") + line(1, "2") + line(2, "null") + line(3, "3") + line(4, "4") +
                             "{\"iteration\":5}\n" + line(6, "1") + line(7, "2"));
  const auto lines = lines_of(page, "Autoencoder loss");
  REQUIRE(lines.size() == 3);
  for (const auto& piece : lines)
    CHECK(piece.size() == 2);
}

TEST_CASE("A resumed run's second account of an iteration counts") {
  const auto lines =
      lines_of(page_for(line(0, "1") + line(1, "9") + line(2, "9") + line(1, "2") + line(2, "3")), "Autoencoder loss");
  REQUIRE(lines.size() == 1);
  REQUIRE(lines[0].size() == 3);
  CHECK(lines[0][0].y - lines[0][1].y == doctest::Approx(lines[0][1].y - lines[0][2].y).epsilon(0.01));
}

TEST_CASE("Long curves are thinned without losing a peak") {
  std::string metrics;
  for (int i = 0; i < 20000; ++i)
    metrics += line(i, i == 12345 ? "100" : "60");
  const auto lines = lines_of(page_for(metrics), "Autoencoder loss");
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].size() <= 800);
  double top = 1e9;
  double at = 0;
  for (const auto& point : lines[0]) {
    if (point.y < top) {
      top = point.y;
      at = point.x;
    }
  }
  const double share = (at - lines[0].front().x) / (lines[0].back().x - lines[0].front().x);
  CHECK(share == doctest::Approx(12345.0 / 19999).epsilon(0.005));
  CHECK(lines[0].front().y - top > 100);
}

TEST_CASE("A single value, a constant and an unknown metric are all drawn") {
  const auto page = page_for("{\"iteration\":0,\"ae_loss\":0,\"beta\":1,\"my_<metric>\":-3}\n");
  CHECK(markup_problem(page) == "");
  CHECK(page.find("<b>my_&lt;metric&gt;</b>") != std::string::npos);
  CHECK(count_of(page, "<circle") == 3);
  CHECK(without_scripts(page).find("nan") == std::string::npos);
  CHECK(page.find(">-0<") == std::string::npos);
}
