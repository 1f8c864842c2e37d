// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/error.h"
#include "nbs/report/report.h"

#include "example_runs.h"
#include "markup.h"

using namespace nbs::test;
using doctest::Contains;
using nbs::report::results_table;
using nbs::report::TableFormat;

namespace {

constexpr const char* kFigures = R"({
 "source": "a paper",
 "methods": [{"method": "unet", "name": "U-Net"}, {"method": "proposed", "name": "Proposed"}],
 "tables": [{"title": "Table 1", "rows": [
   {"dataset": "crackforest", "name": "CrackForest", "unet": [0.15, 0.34, 0.21], "proposed": null},
   {"dataset": "mvtec/pill", "name": "Pill", "unet": [0.19, 0.11, 0.14], "proposed": [0.29, 0.74, 0.42]}]}]
})";

struct Example {
  Scratch scratch;
  std::filesystem::path figures = scratch.write("figures.json", kFigures);

  std::string table(TableFormat format) const { return results_table({scratch / "runs"}, format, figures); }
};

// CrackForest: proposed 0.5 and 0.6 (deviation 0.0707), U-Net interrupted; Pill: nothing.
void write_runs(const Scratch& scratch) {
  write_example(scratch, {"runs/p0", "crackforest", "proposed", 0, 0, "0.5"});
  write_example(scratch, {"runs/p1", "crackforest", "proposed", 0, 1, "0.6"});
  write_example(scratch, {"runs/u0", "crackforest", "unet", 0, 0, "0.3", "interrupted"});
  write_example(scratch, {"runs/r0", "crackforest", "random", 0, 0, "0.4"});
}

}  // namespace

TEST_CASE("The text stands in columns: ours below the paper's, missing ones named") {
  const Example example;
  write_runs(example.scratch);
  const std::string expected = R"(Table 1
                  U-Net                  Proposed
Data set             P    R         F1 n         P         R        F1 n
CrackForest paper 0.15 0.34       0.21         N/A       N/A       N/A
            ours     –    – unfinished   0.40±0.00 0.80±0.00 0.55±0.07 2
Pill        paper 0.19 0.11       0.14        0.29      0.74      0.42
            ours     –    –    missing           –         –   missing

)";
  const auto text = example.table(TableFormat::text);
  CHECK(text.substr(0, expected.size()) == expected);
  CHECK(text.find("crackforest, random      1      0.40      0.40      0.80      0.75") != std::string::npos);
  CHECK(text.find("Not counted: u0 (interrupted).") != std::string::npos);
}

TEST_CASE("Markdown has as many cells in each row as in the head") {
  const Example example;
  write_runs(example.scratch);
  const auto markdown = example.table(TableFormat::markdown);
  CHECK(markdown.find("| CrackForest | paper | 0.15 | 0.34 | 0.21 |  | N/A | N/A | N/A |  |\n"
                      "|  | ours | – | – | unfinished |  | 0.40±0.00 | 0.80±0.00 | 0.55±0.07 | 2 |\n") !=
        std::string::npos);
  std::istringstream in(markdown.substr(0, markdown.find("paper:")));
  for (std::string line; std::getline(in, line);) {
    if (line.rfind('|', 0) == 0) CHECK(count_of(line, "|") == 11);
  }
}

TEST_CASE("CSV and JSON hold means and deviations with all digits") {
  const Example example;
  write_runs(example.scratch);
  const auto csv = example.table(TableFormat::csv);
  CHECK(csv.find("Table 1,crackforest,proposed,,,,found,\"crackforest, proposed\",2,0.55,0.070710678118654") !=
        std::string::npos);
  CHECK(csv.find("Table 1,mvtec/pill,unet,0.19,0.11,0.14,missing,,0,") != std::string::npos);
  CHECK(csv.find("\n,crackforest,random,,,,found,\"crackforest, random\",1,0.4,,0.4,,0.8,,0.75,,") !=
        std::string::npos);
  std::istringstream in(csv);
  for (std::string line; std::getline(in, line);) {
    const auto quoted_comma = count_of(line, "crackforest, ");
    CHECK(count_of(line, ",") - quoted_comma == 38);
  }

  const auto json = nlohmann::json::parse(example.table(TableFormat::json));
  const auto& row = json.at("tables").at(0).at("rows").at(0);
  CHECK(row.at("dataset") == "crackforest");
  const auto& unet = row.at("methods").at(0);
  CHECK(unet.at("paper").at("recall") == 0.34);
  CHECK(unet.at("state") == "unfinished");
  CHECK(unet.at("ours").empty());
  const auto& proposed = row.at("methods").at(1);
  CHECK(proposed.at("paper").is_null());
  CHECK(proposed.at("ours").at(0).at("runs") == 2);
  CHECK(proposed.at("ours").at(0).at("f1").at("mean").get<double>() == doctest::Approx(0.55));
  CHECK(proposed.at("ours").at(0).at("f1").at("deviation").get<double>() == doctest::Approx(0.0707107));
  CHECK(json.at("results").size() == 2);
}

TEST_CASE("Different pipelines with the same labels are not averaged, and said to differ") {
  const Example example;
  write_example(example.scratch, {"runs/a", "mvtec/pill", "unet", 0, 0, "0.5", "finished", "rl"});
  write_example(example.scratch, {"runs/b", "mvtec/pill", "unet", 0, 0, "0.7", "finished", "random"});
  const auto text = example.table(TableFormat::text);
  CHECK(text.find("several") != std::string::npos);
  CHECK(text.find("0.60") == std::string::npos);
  CHECK(
      text.find("mvtec/pill, unet: 2 different pipelines carry these labels, so they are not averaged (they differ in "
                "sampler.plugin)") != std::string::npos);
}

TEST_CASE("Kept results without their runs count, and a run named twice counts once") {
  const Scratch scratch;
  const auto figures = scratch.write("figures.json", kFigures);
  scratch.write("runs/x/result.json", result_text({"x", "mvtec/pill", "unet", 0, 0, "0.25"}));
  scratch.write("runs/y.result.json", result_text({"y", "mvtec/pill", "unet", 0, 1, "0.75"}));
  const auto json = nlohmann::json::parse(results_table(
      {scratch / "runs", scratch / "runs/x", scratch / "runs/y.result.json"}, TableFormat::json, figures));
  REQUIRE(json.at("results").size() == 1);
  CHECK(json.at("results").at(0).at("runs") == 2);
  CHECK(json.at("results").at(0).at("f1").at("mean") == 0.5);
}

TEST_CASE("All formats show IoU and F1 with tolerance; results that lack them have a dash or nothing there") {
  const Example example;
  const auto add = [&](const std::string& method, const std::string& more) {
    ExampleRun run{"", "crackforest", method, 0, 0, "0.5" + more};
    run.folder = "runs/" + method;
    write_example(example.scratch, run);
  };
  add("newer", R"(, "iou": 0.25, "f1_tolerance_2": 0.625, "f1_tolerance_5": 0.875)");
  add("older", "");
  const auto text = example.table(TableFormat::text);
  CHECK(text.find(" IoU F1 2 px F1 5 px ") != std::string::npos);
  CHECK(text.find(" 0.25    0.62    0.88 ") != std::string::npos);
  CHECK(text.find("   –       –       – ") != std::string::npos);
  const auto markdown = example.table(TableFormat::markdown);
  CHECK(markdown.find("| IoU | F1 with 2 pixels of tolerance | F1 with 5 pixels of tolerance |") != std::string::npos);
  CHECK(markdown.find("| 0.25 | 0.62 | 0.88 |") != std::string::npos);
  const auto csv = example.table(TableFormat::csv);
  CHECK(csv.find(",iou_mean,iou_deviation,f1_tolerance_2_mean,f1_tolerance_2_deviation,f1_tolerance_5_mean,") !=
        std::string::npos);
  CHECK(csv.find(",0.25,,0.625,,0.875,,") != std::string::npos);
  const auto json = nlohmann::json::parse(example.table(TableFormat::json));
  CHECK(json.at("results").at(0).at("f1_tolerance_5").at("mean") == 0.875);
  CHECK(json.at("results").at(1).at("method") == "older");
  CHECK(json.at("results").at(1).at("f1_tolerance_5").is_null());
}

TEST_CASE("Without any run the paper's figures stand alone") {
  const Example example;
  const auto text = results_table({}, TableFormat::text, example.figures);
  CHECK(count_of(text, "missing") == 4);
  CHECK(text.find("All our results") == std::string::npos);
}

TEST_CASE("What cannot be read is an error that names it") {
  const Example example;
  CHECK_THROWS_WITH_AS(example.table(TableFormat::text), Contains("there is no folder"), nbs::Error);
  CHECK_THROWS_WITH_AS(results_table({}, TableFormat::text, example.scratch / "none.json"), Contains("none.json"),
                       nbs::Error);
  const auto refused = [&](const std::string& from, const std::string& to, const char* part) {
    std::string text = kFigures;
    text.replace(text.find(from), from.size(), to);
    CHECK_THROWS_WITH_AS(results_table({}, TableFormat::text, example.scratch.write("bad.json", text)), Contains(part),
                         nbs::Error);
  };
  refused("[0.15, 0.34, 0.21]", "[0.15, 0.34]", "not precision, recall, F1");
  refused("0.74", "7.4", "no number from 0 to 1");
  refused("\"unet\": [0.19, 0.11, 0.14], ", "", "no figures for \"unet\"");
  refused("\"source\"", "\"sauce\"", "\"source\"");
  refused("{\"title\"", "{title", "cannot be read");
  const auto broken = example.scratch.write("broken.result.json", "{");
  CHECK_THROWS_WITH_AS(results_table({broken}, TableFormat::text, example.figures), Contains("broken.result.json"),
                       nbs::Error);
  CHECK_THROWS_WITH_AS(nbs::report::table_format("latex"), Contains("text, markdown, csv or json"), nbs::Error);
}

TEST_CASE("a mean over different versions of the program is pointed out, one over the same is not") {
  const Example example;
  write_runs(example.scratch);
  CHECK(example.table(TableFormat::text).find("different versions") == std::string::npos);
  example.scratch.write("runs/p1/provenance.json", R"({"nbs": "0.1.0", "revision": "def"})");
  CHECK(example.table(TableFormat::text)
            .find("crackforest, proposed: the mean is over runs of different versions of the program: 0.1.0 (abc), "
                  "0.1.0 (def).") != std::string::npos);
}
