// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"

#include "scratch.h"
#include "shipped.h"

// Every file to its end through the real programs, with small networks on small images.

namespace {

namespace fs = std::filesystem;
using nbs::test::Shipped;
using Json = nlohmann::json;

std::vector<std::string> command(const char* name, const Shipped& file, const std::vector<std::string>& more) {
  std::vector<std::string> words = {name, file.file.string()};
  for (const auto& part : {nbs::test::data_of(file), nbs::test::small(file), more})
    words.insert(words.end(), part.begin(), part.end());
  return words;
}

// The classes of MVTec differ in nothing but the folder: one stands for all.
bool stands_for_itself(const Shipped& file, std::set<std::string>& seen) {
  if (file.text("data.format") != "mvtec") return true;
  return seen.insert(file.name.substr(file.name.find('-'))).second;
}

std::size_t count_of(const fs::path& folder, const std::string& ending) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.size() > ending.size() && name.compare(name.size() - ending.size(), ending.size(), ending) == 0) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("every file runs to its end and is scored") {
  const nbs::test::Scratch scratch;
  std::set<std::string> seen;
  std::size_t runs = 0;
  for (const auto& file : nbs::test::shipped()) {
    if (!file.whole() || !stands_for_itself(file, seen)) continue;
    CAPTURE(file.name);
    const auto folder = scratch / std::to_string(runs++);
    const auto ended = nbs::test::run_nbs(command("run", file, {"--run-dir", folder.string(), "--progress", "none"}));
    INFO(ended.output);
    CHECK(ended.status == 0);
    if (ended.status != 0) continue;  // the other files are of interest too
    const auto result = Json::parse(nbs::read_file(folder / "result.json"));
    CHECK(result.at("stop_reason") == "finished");
    CHECK(result.at("experiment").at("dataset") == file.text("experiment.dataset"));
    CHECK(result.at("experiment").at("method") == file.text("experiment.method"));
    REQUIRE(result.at("scores").is_object());
    const double f1 = result.at("scores").at("f1");
    CHECK(f1 >= 0);
    CHECK(f1 <= 1);
    // All images but the five labeled ones are scored, and each has its mask.
    const auto split = Json::parse(nbs::read_file(folder / "split.json"));
    std::size_t labeled = 0;
    std::size_t unlabeled = 0;
    for (const auto& image : split.at("images")) {
      labeled += image.at("role") == "labeled" ? 1 : 0;
      unlabeled += image.at("role") == "unlabeled" ? 1 : 0;
    }
    CHECK(labeled == 5);
    CHECK(unlabeled > 0);
    CHECK(result.at("scores").at("by_image").size() == unlabeled);
    CHECK(count_of(folder / "predictions", ".mask.png") == unlabeled);
    CHECK(fs::is_regular_file(folder / "report.html"));
  }
  CHECK(seen.size() >= 7);
  CHECK(runs > 35);
}

TEST_CASE("one batch makes a row of the paper's table, with mean and deviation over three splits") {
  const nbs::test::Scratch scratch;
  const auto& file = nbs::test::shipped("crackforest/unet.toml");
  const auto runs = scratch / "runs";
  auto words = command("batch", file, {"--out", runs.string()});
  // The splits are what is looked at here.
  for (auto& word : words) {
    if (word == "sweep={}") word = "sweep.grid={}";
  }
  const auto ended = nbs::test::run_nbs(words);
  INFO(ended.output);
  REQUIRE(ended.status == 0);
  CHECK(fs::is_regular_file(runs / "index.html"));
  std::set<std::string> splits;
  std::vector<double> scores;
  for (const auto& entry : fs::directory_iterator(runs)) {
    if (!entry.is_directory()) continue;
    splits.insert(Json::parse(nbs::read_file(entry.path() / "split.json")).at("images").dump());
    scores.push_back(Json::parse(nbs::read_file(entry.path() / "result.json")).at("scores").at("f1"));
  }
  CHECK(splits.size() == 3);
  REQUIRE(scores.size() == 3);

  const auto table = nbs::test::run_nbs({"table", runs.string(), "--format", "json"});
  REQUIRE(table.status == 0);
  const auto json = Json::parse(table.output);
  std::size_t found = 0;
  for (const auto& part : json.at("tables")) {
    for (const auto& row : part.at("rows")) {
      for (const auto& cell : row.at("methods")) {
        if (cell.at("state") != "found") continue;
        ++found;
        CHECK(row.at("dataset") == "crackforest");
        CHECK(cell.at("method") == "unet");
        CHECK(cell.at("ours").at(0).at("runs") == 3);
        const double mean = (scores[0] + scores[1] + scores[2]) / 3;
        CHECK(cell.at("ours").at(0).at("f1").at("mean").get<double>() == doctest::Approx(mean));
      }
    }
  }
  CHECK(found == 1);
}
