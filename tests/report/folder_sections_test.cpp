// SPDX-License-Identifier: Apache-2.0
#include "folder_sections.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/report/report.h"

#include "example_runs.h"
#include "html.h"
#include "markup.h"

using namespace nbs::report;
using namespace nbs::test;
using Json = nlohmann::ordered_json;

namespace {

std::string index_of(const Scratch& scratch) {
  write_folder_report(scratch.path());
  return contents(scratch / "index.html");
}

// One number for each plugin of the sampler and each length of profiles.
void write_sweep(const Scratch& scratch) {
  int run = 0;
  for (const char* sampler : {"rl", "random"}) {
    for (const int length : {4, 16, 100}) {
      const auto name = "run" + std::to_string(run);
      const ExampleRun example{name,       "crackforest", "proposed", 0, 0, "0." + std::to_string(++run),
                               "finished", sampler};
      write_example(scratch, example);
      scratch.write(name + "/resolved.toml",
                    pipeline_text(example) + "\n[profile]\nlength = " + std::to_string(length) + "\n");
    }
  }
}

}  // namespace

TEST_CASE("the best of a ranked column is marked, all of equal ones, and no row that does not count") {
  const std::vector<Column> columns = {{"Name"}, {"F1", true, true}, {"Seed", true}};
  const auto row = [](const char* name, const char* f1, bool counts) {
    return Row{{text_cell(name), {f1, true, false}, {"9", true, false}}, counts};
  };
  const auto html = sortable_table(columns,
                                   {row("a", "0.500", true), row("b", "–", true), row("c", "0.700 ± 0.1", true),
                                    row("d", "0.700", true), row("e", "0.900", false)},
                                   true, " id=\"x\"");
  CHECK(markup_problem(html) == "");
  CHECK(count_of(html, "top") == 2);
  CHECK(html.find("<td class=\"n top\">0.700 ± 0.1</td>") != std::string::npos);
  CHECK(html.find("<td class=\"n top\">0.700</td>") != std::string::npos);
  CHECK(html.find("<tr class=\"uncounted\"><td>e</td>") != std::string::npos);
  CHECK(html.find("<table class=\"sortable\" data-filter=\"\" id=\"x\">") != std::string::npos);
  CHECK(html.find("<th scope=\"col\" class=\"n ranked\">F1</th><th scope=\"col\" class=\"n\">Seed</th>") !=
        std::string::npos);
}

TEST_CASE("each option that was swept has a chart with the runs at its values in order and their means") {
  const Scratch scratch;
  write_sweep(scratch);
  const auto html = index_of(scratch);
  CHECK(markup_problem(html) == "");
  const auto part = part_of(html, "F1 against each option");
  CHECK(count_of(part, "<figure class=\"plot\">") == 2);
  const auto charts = json_elements(part);
  REQUIRE(charts.size() == 2);
  for (const auto& text : charts) {
    const auto chart = Json::parse(text);
    std::vector<std::vector<double>> runs(chart.at("steps").size());
    std::vector<double> means(runs.size(), -1);
    for (const auto& row : chart.at("rows")) {
      const auto at = row.at(0).get<std::size_t>();
      if (row.at(1).is_number()) means.at(at) = row.at(1).get<double>();
      if (row.at(2).is_number()) runs.at(at).push_back(row.at(2).get<double>());
    }
    if (chart.at("steps").at(0) == "4") {
      CHECK(chart.at("steps") == Json::parse(R"(["4", "16", "100"])"));  // as numbers, not as words
      CHECK(means == std::vector<double>{0.25, 0.35, 0.45});
      CHECK(runs.at(2).size() == 2);
    } else {
      CHECK(chart.at("steps") == Json::parse(R"(["\"random\"", "\"rl\""])"));
      CHECK(means == std::vector<double>{0.5, 0.2});
      CHECK(runs.at(1).size() == 3);
    }
  }
}

TEST_CASE("an option of many numbers has an axis of numbers, one of many words no chart, and the page says so") {
  const Scratch scratch;
  for (int i = 0; i < 20; ++i) {
    const auto name = "run" + std::to_string(100 + i);
    const ExampleRun example{name, "crackforest", "proposed", 0, 0, "0.5", "finished", "word" + std::to_string(i)};
    write_example(scratch, example);
    scratch.write(name + "/resolved.toml",
                  pipeline_text(example) + "\n[reward]\ncover_weight = " + std::to_string(0.01 * (i + 1)) + "\n");
  }
  const auto part = part_of(index_of(scratch), "F1 against each option");
  const auto charts = json_elements(part);
  REQUIRE(charts.size() == 1);
  const auto chart = Json::parse(charts[0]);
  CHECK_FALSE(chart.contains("steps"));
  CHECK(chart.at("window").at(0).get<double>() == doctest::Approx(0.01));
  CHECK(chart.at("window").at(1).get<double>() == doctest::Approx(0.2));
  CHECK(part.find("1 more options that differ have no chart.") != std::string::npos);
}

TEST_CASE("learning curves are those of the metrics, with the number of their run in the table") {
  const Scratch scratch;
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0, "0.4"});
  write_example(scratch, {"b </script>", "crackforest", "unet", 0, 0, "0.6"});
  write_example(scratch, {"c", "crackforest", "proposed", 1, 0, "0.7"});
  std::filesystem::remove(scratch / "c/metrics.jsonl");
  const auto html = index_of(scratch);
  CHECK(markup_problem(html) == "");
  const auto part = part_of(html, "Learning curves");
  const auto json = Json::parse(json_elements(part).at(0));
  REQUIRE(json.at("metrics").size() == 1);
  CHECK(json.at("metrics").at(0).at("title") == "Autoencoder loss: ae_loss");
  REQUIRE(json.at("runs").size() == 3);
  CHECK(json.at("runs").at(0).at("name") == "a");
  CHECK(json.at("runs").at(1).at("name") == "b </script>");
  CHECK(json.at("runs").at(1).at("curves") == Json::parse("[[[0, 1], [0.5, 0.25]]]"));
  CHECK(json.at("runs").at(2).at("curves") == Json::parse("[null]"));
  CHECK(attributes(part, "data-first") ==
        std::vector<std::string>{"1 0"});  // of the better pipeline, then of the other the best that has any
  const auto table = part_of(html, "Runs");
  CHECK(attributes(table, "data-curves") == std::vector<std::string>{"0", "1"});
}

TEST_CASE("thousands of long curves together have no more points than a page can hold, and each its peak") {
  nbs::record::Metrics metrics;
  auto& curve = metrics.curves.emplace_back();
  curve.name = "ae_loss";
  for (int i = 0; i < 5000; ++i)
    curve.points.push_back({static_cast<double>(i), i == 4321 ? 9.0 : 1.0});
  LearningCurves curves(2000);
  for (int i = 0; i < 2000; ++i)
    curves.add("run", metrics);
  const auto json = Json::parse(json_elements(curves.section({})).at(0));
  std::size_t points = 0;
  for (const auto& run : json.at("runs")) {
    const auto& values = run.at("curves").at(0).at(1);
    points += values.size();
    REQUIRE(std::count(values.begin(), values.end(), 9.0) == 1);
  }
  CHECK(points <= 400000);
  CHECK(points >= 2000 * 16);
}

TEST_CASE("a curve whose points were all taken back by a second account of the run is none") {
  const Scratch scratch;
  write_example(scratch, {"a"});
  scratch.write("a/metrics.jsonl", "{\"iteration\":3,\"ae_loss\":1}\n{\"iteration\":2,\"l_pred\":1}\n");
  const auto html = index_of(scratch);
  CHECK(markup_problem(html) == "");
  const auto json = Json::parse(json_elements(part_of(html, "Learning curves")).at(0));
  REQUIRE(json.at("metrics").size() == 1);
  CHECK(json.at("metrics").at(0).at("title") == "Prediction loss (Eq. 2): l_pred");
}

TEST_CASE("a folder without any curve has no place for them") {
  LearningCurves curves(1);
  curves.add("run", {});
  CHECK_FALSE(curves.has(0));
  CHECK(curves.section({}).empty());
}
