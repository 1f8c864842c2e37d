// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/report/report.h"

#include "example_runs.h"
#include "markup.h"

using namespace nbs::test;
using nbs::report::results_table;
using nbs::report::TableFormat;

namespace {

// What evaluation writes of one scored image without any anomaly.
constexpr const char* kClean = R"({"threshold": 0.5, "precision": 0.0, "recall": 0.0, "f1": 0.0, "true_positives": 0,
 "false_positives": 12, "false_negatives": 0, "mean_image_f1": 0.0, "auroc": null, "average_precision": null,
 "aupro": null, "image_auroc": null, "oracle": {"f1": 0.0, "threshold": 0.5}, "by_type": [],
 "by_image": [{"id": "a", "type": "", "f1": 0.0}]})";

constexpr const char* kMeasured = R"({"source": "a paper", "methods": [{"method": "proposed", "name": "Proposed"}],
 "tables": [{"title": "Table 1", "rows": [
   {"dataset": "clean", "name": "Clean", "proposed": [0.29, 0.74, 0.42]},
   {"dataset": "blind", "name": "Blind", "proposed": [0.29, 0.74, 0.42]}]}]})";

void write_run(const Scratch& scratch, const std::string& folder, const std::string& dataset, const std::string& scores,
               int seed = 0) {
  ExampleRun run;
  run.folder = folder;
  run.dataset = dataset;
  run.seed = seed;
  write_example(scratch, run);
  scratch.write(folder + "/result.json", R"({"ending": "finished", "iterations": 40, "scores": )" + scores + "}");
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("What a run without scored masks expects is in its line of the tables") {
  const Scratch scratch;
  ExampleRun run;
  run.folder = "runs/a";
  write_example(scratch, run);
  scratch.write("runs/a/result.json", R"({"ending": "finished", "iterations": 40, "expected": {"f1": 0.4321}})");
  nbs::report::write_folder_report(scratch / "runs");
  const auto table = contents(scratch / "runs/summary.csv");
  CHECK(holds(table, ",oracle_f1,expected_f1,f1_before_postproc,"));
  CHECK(holds(table, ",,,,0.4321,,"));
  CHECK(holds(contents(scratch / "runs/index.html"), ">0.432<"));
}

TEST_CASE("A run whose scored masks show no anomaly is reported: F1 is undefined, not zero, and the page says why") {
  const Scratch scratch;
  write_run(scratch, "runs/a", "clean", kClean);
  nbs::report::write_folder_report(scratch / "runs");
  const auto page = contents(scratch / "runs/a/report.html");
  CHECK(markup_problem(page) == "");
  CHECK(holds(page,
              "No scored mask shows an anomaly, so precision, recall, F1 and IoU are undefined; 12 normal pixels were "
              "predicted as anomalous."));
  CHECK(holds(page, "<dt>F1</dt><dd>–</dd>"));
  CHECK(holds(page, "<dt>Oracle F1</dt><dd>–</dd>"));
  CHECK(holds(page, "<dt>AUROC of pixels</dt><dd>–</dd>"));
  CHECK(holds(page, "<dt>Mean F1 of images</dt><dd>0.000</dd>"));
  CHECK(holds(page, "A dash stands for what is undefined here"));
  const auto index = contents(scratch / "runs/index.html");
  CHECK(markup_problem(index) == "");
  CHECK(holds(index, "No scored mask shows an anomaly"));
  CHECK(holds(contents(scratch / "runs/summary.md"), "| a | finished | 0 | 0 | – | – | – | – |"));
}

TEST_CASE("A run in which nothing could be scored says so, and is not called unfinished") {
  const Scratch scratch;
  const auto figures = scratch.write("figures.json", kMeasured);
  write_run(scratch, "runs/a", "blind", "null");
  scratch.write("runs/a/predictions/one.overlay.png", "");
  nbs::report::write_folder_report(scratch / "runs");
  const auto page = contents(scratch / "runs/a/report.html");
  CHECK(holds(page, "Nothing could be scored: no unlabeled image has a mask."));
  CHECK(holds(page, "<h2>Predictions</h2>"));
  CHECK(holds(page, "slider from the image to its mask"));
  CHECK_FALSE(holds(page, "outline of the truth"));
  CHECK(holds(contents(scratch / "runs/index.html"), "Nothing could be scored"));
  const auto text = results_table({scratch / "runs"}, TableFormat::text, figures);
  CHECK(holds(text, "unscored"));
  CHECK(!holds(text, "unfinished"));
  CHECK(holds(text, "Not counted: a (without scores)."));
}

TEST_CASE("In the table the run without anomalies has its place, and does not drag the mean of the others down") {
  const Scratch scratch;
  const auto figures = scratch.write("figures.json", kMeasured);
  write_run(scratch, "runs/a", "clean", kClean, 0);
  const auto alone = results_table({scratch / "runs"}, TableFormat::text, figures);
  CHECK(holds(results_table({scratch / "runs"}, TableFormat::markdown, figures), "|  | ours | – | – | – | 0 |"));
  CHECK(holds(alone, "clean, proposed"));
  CHECK(holds(alone,
              "clean, proposed: no scored mask of a shows an anomaly, so precision, recall, F1 and IoU are undefined "
              "there and left out of the means."));
  write_run(scratch, "runs/b", "clean",
            R"({"precision": 0.4, "recall": 0.8, "f1": 0.5, "true_positives": 4, "false_positives": 6,
                "false_negatives": 1, "mean_image_f1": 0.6})",
            1);
  const auto both = nlohmann::json::parse(results_table({scratch / "runs"}, TableFormat::json, figures));
  const auto& group = both.at("results").at(0);
  CHECK(group.at("runs") == 2);
  CHECK(group.at("f1").at("mean") == 0.5);
  CHECK(group.at("f1").at("runs") == 1);
  CHECK(group.at("mean_image_f1").at("mean") == doctest::Approx(0.3));
  CHECK(group.at("auroc").is_null());
}

TEST_CASE("Absurd numbers in a damaged result stay inside the drawings and out of the tables' way") {
  const Scratch scratch;
  const auto figures = scratch.write("figures.json", kMeasured);
  write_run(scratch, "runs/a", "clean", R"({"f1": 1.7e308, "precision": -1e300, "recall": 1e308})", 0);
  write_run(scratch, "runs/b", "clean", R"({"f1": 1.7e308, "precision": 1e300, "recall": -1e308})", 1);
  scratch.write("runs/b/result.json", R"({"ending": "finished", "iterations": 9223372036854775807,
    "scores": {"f1": -1.7e308}, "seconds": {"total": 1e308, "train": 1e308}, "peak_memory_mib": 1e300})");
  nbs::report::write_folder_report(scratch / "runs");
  for (const char* file : {"runs/index.html", "runs/b/report.html", "runs/summary.md", "runs/summary.csv"}) {
    CAPTURE(file);
    const auto text = contents(scratch / file);
    CHECK(!holds(text, ">nan"));
    CHECK(!holds(text, "\"nan"));
    CHECK(!holds(text, ">inf"));
    CHECK(!holds(text, "\"inf"));
    CHECK(!holds(text, std::string(30, '0')));
  }
  CHECK(!holds(results_table({scratch / "runs"}, TableFormat::text, figures), "nan"));
}

TEST_CASE("Names of folders that are no UTF-8 do not stop the table as JSON") {
  const Scratch scratch;
  const auto figures = scratch.write("figures.json", kMeasured);
  write_run(scratch, "runs/\xFF", "blind", "null");
  const auto json = nlohmann::json::parse(results_table({scratch / "runs"}, TableFormat::json, figures));
  CHECK(json.at("notes").size() == 1);
}

TEST_CASE("A loop of links below the folder is no run, and does not stop the report") {
  const Scratch scratch;
  write_run(scratch, "runs/a", "clean", kClean);
  std::filesystem::create_symlink("loop", scratch / "runs/loop");
  std::filesystem::create_symlink("nowhere", scratch / "runs/dangling");
  nbs::report::write_folder_report(scratch / "runs");
  CHECK(holds(contents(scratch / "runs/index.html"), "1 run: 1 finished"));
}
