// SPDX-License-Identifier: Apache-2.0
#include "nbs/report/export.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include "nbs/error.h"

#include "error_text.h"
#include "example_runs.h"
#include "markup.h"

using namespace nbs::test;
using doctest::Contains;
using nbs::report::exported;
using nbs::report::ExportFormat;

namespace {

// Two runs of one pipeline and one of another, whose name has what formats must escape.
void write_three(const Scratch& scratch) {
  write_example(scratch, {"a", "crackforest", "proposed", 0, 0, "0.4"});
  write_example(scratch, {"b", "crackforest", "proposed", 1, 1, "0.6"});
  write_example(scratch, {"deep/c_50%", "crack_forest", "R&D ~ x^2", 0, 0, "0.3", "finished", "random"});
}

// What a query gives, a line for each row, with bars between the columns.
std::string query(const std::filesystem::path& file, const std::string& text) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open_v2(file.c_str(), &database, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK);
  std::string rows;
  const auto add = [](void* to, int count, char** values, char**) {
    auto& all = *static_cast<std::string*>(to);
    for (int i = 0; i < count; ++i)
      all += (i > 0 ? std::string("|") : std::string()) + (values[i] != nullptr ? values[i] : "NULL");
    all += "\n";
    return 0;
  };
  const int code = sqlite3_exec(database, text.c_str(), add, &rows, nullptr);
  const std::string problem = sqlite3_errmsg(database);
  sqlite3_close(database);
  INFO(problem);
  REQUIRE(code == SQLITE_OK);
  return rows;
}

}  // namespace

TEST_CASE("a database holds runs, options, metrics and images, to be asked for with SQL") {
  const Scratch scratch;
  write_three(scratch);
  scratch.write("a/result.json",
                R"({"name": "a", "ending": "finished", "iterations": 40, "threshold": 0.25, "scores": {"f1": 0.4,
                "by_image": [{"id": "x", "f1": 0.5, "true_positives": 7}, {"id": "y", "f1": null}]}})");
  scratch.write("b/metrics.jsonl", "{\"iteration\":0,\"ae_loss\":0.5}\n{\"iteration\":3,\"ae_loss\":null}\n");
  const auto file = scratch.write("runs.db", exported(scratch.path(), ExportFormat::sqlite));
  CHECK(query(file, "PRAGMA integrity_check") == "ok\n");
  CHECK(query(file, "SELECT run, state, seed, f1 FROM runs ORDER BY run") ==
        "a|finished|0|0.4\nb|finished|1|0.6\ndeep/c_50%|finished|0|0.3\n");
  CHECK(query(file,
              "SELECT avg(f1) FROM runs JOIN options USING (run) WHERE option = 'sampler.plugin' AND value = "
              "'\"rl\"'") == "0.5\n");
  CHECK(query(file, "SELECT * FROM metrics WHERE run = 'b' ORDER BY iteration") ==
        "b|0|ae_loss|0.5\nb|3|ae_loss|NULL\n");
  CHECK(query(file, "SELECT run, image, role, f1, true_positives FROM images ORDER BY image") ==
        "a|x|unlabeled|0.5|7\na|y|unlabeled|NULL|NULL\n");
}

TEST_CASE("JSON has every option with its type, and the result as the run wrote it") {
  const Scratch scratch;
  write_three(scratch);
  const auto json = nlohmann::json::parse(exported(scratch.path(), ExportFormat::json));
  REQUIRE(json.size() == 3);
  CHECK(json[1].at("run") == "b");
  CHECK(json[1].at("options").at("train.iterations") == 40);
  CHECK(json[1].at("options").at("sampler.plugin") == "rl");
  CHECK(json[1].at("result").at("scores").at("f1") == 0.6);
}

TEST_CASE("LaTeX has a row for each pipeline, and what is special there is escaped") {
  const Scratch scratch;
  write_three(scratch);
  const auto latex = exported(scratch.path(), ExportFormat::latex);
  CAPTURE(latex);
  CHECK(text(latex) == Contains("crackforest, proposed & 2 & $0.500 \\pm 0.141$ & "));
  CHECK(text(latex) == Contains("crack\\_forest, R\\&D \\textasciitilde{} x\\textasciicircum{}2 & 1 & 0.300 & "));
  CHECK(count_of(latex, "\\\\\n") == 3);
  // As many columns in each row as were announced.
  const auto announced = latex.find("{l") + 2;
  const auto columns = latex.find('}', announced) - announced;
  CHECK(count_of(latex.substr(latex.find("\\midrule")), " & ") == 2 * columns);
}

TEST_CASE("CSV and Markdown are those of the folder's report; a folder without runs is refused") {
  const Scratch scratch;
  write_three(scratch);
  CHECK(text(exported(scratch.path(), ExportFormat::csv)) == Contains("\ndeep/c_50%,"));
  CHECK(text(exported(scratch.path(), ExportFormat::markdown)) == Contains("| crackforest, proposed | 2 | 0.500"));
  std::filesystem::create_directory(scratch / "empty");
  CHECK(error_text([&] { exported(scratch / "empty", ExportFormat::csv); }) == Contains("there is no run in"));
  CHECK(error_text([] { nbs::report::export_format("xml"); }) == Contains("csv, json, latex, markdown, sqlite"));
}
