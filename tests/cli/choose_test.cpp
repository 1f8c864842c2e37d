// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

using doctest::Contains;
using nbs::test::Program;
using nbs::test::text;
namespace fs = std::filesystem;
using Json = nlohmann::json;

namespace {

// A folder with two candidates, of which "one" expects more (0.10 and 0.08) and "two" has the higher F1 on the labeled
// images (0.048 and 0.052), so that it matters what they are compared by; and a set of generated images of which three
// are labeled.
struct Candidates {
  Program nbs;

  Candidates() {
    for (const char* name : {"one", "two"}) {
      nbs::test::TinyOptions tiny;
      tiny.top = std::string("name = \"") + name + "\"\nseed = " + (*name == 'o' ? "7" : "2");
      tiny.train = "iterations = 12\npatches = 8\nreinit_every = 0";
      nbs.folder().write(std::string(name) + ".toml", nbs::test::tiny_pipeline(tiny));
    }
    REQUIRE(nbs({"data", "one.toml", "--export", "set"}).status == 0);
  }
  nbs::test::Ended choose(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> words = {"choose",        "one.toml", "two.toml",           "--out",
                                      "out",           "--set",    "data.format=folder", "--set",
                                      "data.root=set", "--set",    "data.labeled=3"};
    words.insert(words.end(), more.begin(), more.end());
    return nbs(words);
  }
  // F1 of the labeled images of each candidate's run, by its name: their pixels together, weighted by one over the root
  // of the anomalous area.
  std::map<std::string, double> labeled() const {
    std::map<std::string, double> all;
    for (const auto& entry : fs::directory_iterator(nbs.folder() / "out")) {
      if (!fs::exists(entry.path() / "result.json")) continue;
      const auto result = Json::parse(nbs::read_file(entry.path() / "result.json"));
      double right = 0;
      double wrong = 0;
      for (const auto& image : result.at("expected").at("by_image")) {
        const double found = image.at("true_positives");
        const double missed = image.at("false_negatives");
        REQUIRE(found + missed > 0);
        right += found / std::sqrt(found + missed);
        wrong += (missed + image.at("false_positives").get<double>()) / std::sqrt(found + missed);
      }
      all[result.at("name")] = 2 * right / (2 * right + wrong);
    }
    return all;
  }
  // What each candidate's run expects, by its name.
  std::map<std::string, double> expected() const {
    std::map<std::string, double> all;
    for (const auto& entry : fs::directory_iterator(nbs.folder() / "out")) {
      if (!fs::exists(entry.path() / "result.json")) continue;
      const auto result = Json::parse(nbs::read_file(entry.path() / "result.json"));
      all[result.at("name")] = result.at("expected").at("f1");
    }
    return all;
  }
};

}  // namespace

TEST_CASE("the candidate with the highest expected F1 is chosen, and its file runs") {
  const Candidates candidates;
  const auto ended = candidates.choose();
  INFO(ended.errors);
  REQUIRE(ended.status == 0);
  const auto expected = candidates.expected();
  const auto labeled = candidates.labeled();
  REQUIRE(labeled.size() == 2);
  REQUIRE(expected.at("one") != expected.at("two"));
  const std::string best = expected.at("one") > expected.at("two") ? "one" : "two";
  const std::string other = best == "one" ? "two" : "one";
  CHECK(text(ended.output) == Contains(("chosen: " + best + " -> out/chosen.toml").c_str()));
  const auto chosen = nbs::read_file(candidates.nbs.folder() / "out" / "chosen.toml");
  CHECK(text(chosen) == Contains(("name = \"" + best + "\"").c_str()));
  const auto three = [](double value) {  // digits
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "%.3f", value);
    return std::string(digits.data());
  };
  CHECK(text(chosen) == Contains(("# - " + best + ": expected F1 " + three(expected.at(best))).c_str()));
  CHECK(text(chosen) == Contains(("# - " + other + ": expected F1 " + three(expected.at(other))).c_str()));
  CHECK(text(chosen) == Contains(("on the labeled images F1 " + three(labeled.at(best)) + "\n").c_str()));
  const double less = labeled.at(best) - labeled.at(other);
  CHECK(text(chosen) == Contains(("on the labeled images F1 " + three(labeled.at(other)) + ", " +
                                  three(std::abs(less)) + (less < 0 ? " more (" : " less ("))
                                     .c_str()));
  // What it says to do next can be done.
  const auto next = ended.output.find("nbs predict ");
  REQUIRE(next != std::string::npos);
  const auto judged = ended.output.substr(next + 12, ended.output.find(" IMAGES", next) - next - 12);
  const auto masks = candidates.nbs({"predict", judged, "set/images", "--out", "masks"});
  INFO(masks.errors);
  CHECK(masks.status == 0);
  CHECK_FALSE(fs::is_empty(candidates.nbs.folder() / "masks"));
  const auto run = candidates.nbs({"run", "out/chosen.toml", "--run-dir", "run", "--progress", "none"});
  INFO(run.errors);
  CHECK(run.status == 0);
  const auto result = Json::parse(nbs::read_file(candidates.nbs.folder() / "run" / "result.json"));
  CHECK(result.at("expected").at("f1") == expected.at(best));
  CHECK(result.at("scores").at("f1").is_number());
  // Again, nothing is trained.
  const auto again = candidates.choose();
  CHECK(again.output.find("started") == std::string::npos);
  CHECK(nbs::read_file(candidates.nbs.folder() / "out" / "chosen.toml") == chosen);
}

TEST_CASE("nothing of the unlabeled images' masks is read: damaged ones change nothing") {
  const Candidates candidates;
  REQUIRE(candidates.choose().status == 0);
  const auto before = candidates.expected();
  const auto split = Json::parse(
      nbs::read_file(std::find_if(fs::directory_iterator(candidates.nbs.folder() / "out"), fs::directory_iterator(),
                                  [](const auto& entry) { return fs::exists(entry.path() / "split.json"); })
                         ->path() /
                     "split.json"));
  std::set<std::string> labeled;
  for (const auto& image : split.at("images")) {
    if (image.at("role") == "labeled") labeled.insert(image.at("id").get<std::string>());
  }
  REQUIRE(labeled.size() == 3);
  int damaged = 0;
  for (const auto& entry : fs::directory_iterator(candidates.nbs.folder() / "set" / "masks")) {
    if (labeled.count(entry.path().stem().string()) != 0) continue;
    nbs::write_file(entry.path(), "no picture");
    ++damaged;
  }
  REQUIRE(damaged == 3);
  fs::remove_all(candidates.nbs.folder() / "out");
  const auto ended = candidates.choose();
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK(candidates.expected() == before);
}

TEST_CASE("data that cannot be used is said once, before any candidate is tried") {
  const Candidates candidates;
  fs::create_directories(candidates.nbs.folder() / "empty" / "images");
  const auto ended = candidates.choose({"--set", "data.root=empty"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("empty/images, but no image file is there"));
  CHECK(text(ended.errors) == Contains("one: its data cannot be used, so no candidate was tried"));
  CHECK(ended.output.find("started") == std::string::npos);
  CHECK_FALSE(fs::exists(candidates.nbs.folder() / "out"));
}

TEST_CASE("data of the last candidate alone that cannot be used is said before the first one is tried") {
  const Candidates candidates;
  const auto& nbs = candidates.nbs;
  fs::create_directories(nbs.folder() / "empty" / "images");
  nbs.folder().write("three.toml",
                     "base = \"two.toml\"\nname = \"three\"\n[data]\nformat = \"folder\"\nroot = \"empty\"\n");
  const auto ended = nbs({"choose", "one.toml", "two.toml", "three.toml", "--out", "out"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("three: its data cannot be used, so no candidate was tried"));
  CHECK_FALSE(fs::exists(nbs.folder() / "out"));
}

TEST_CASE("finished candidates are compared whatever --minutes says") {
  const Candidates candidates;
  REQUIRE(candidates.choose().status == 0);
  const auto chosen = nbs::read_file(candidates.nbs.folder() / "out" / "chosen.toml");
  const auto again = candidates.choose({"--minutes", "0.0001"});
  INFO(again.errors);
  CHECK(again.status == 0);
  CHECK(again.output.find("skipped   two") == std::string::npos);
  CHECK(nbs::read_file(candidates.nbs.folder() / "out" / "chosen.toml") == chosen);
}

TEST_CASE("with one labeled image nothing is tried, as nothing could be compared") {
  const Candidates candidates;
  const auto ended = candidates.choose({"--set", "data.labeled=1"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) ==
        Contains("one: data.labeled is 1, but candidates are compared on labeled images that they "
                 "were not taught"));
  CHECK_FALSE(fs::exists(candidates.nbs.folder() / "out"));
}

TEST_CASE("without folds there is nothing to compare") {
  const Candidates candidates;
  const auto ended = candidates.choose({"--set", "evaluation.folds=0"});
  CHECK(ended.status != 0);
  CHECK(text(ended.errors) == Contains("one: evaluation.folds is 0, and without folds nothing can be compared"));
  CHECK_FALSE(fs::exists(candidates.nbs.folder() / "out" / "chosen.toml"));
}

TEST_CASE("an image's out-of-fold map knows nothing of its own mask") {
  const Candidates candidates;
  const auto& nbs = candidates.nbs;
  const auto run = [&](const std::string& name) {
    const auto ended = nbs({"run", "one.toml", "--run-dir", name, "--progress", "none", "--set", "data.format=folder",
                            "--set", "data.root=set", "--set", "data.labeled=3", "--set",
                            "train.selection=last"});  // the lowest loss is that of the predictor of all images
    INFO(ended.errors);
    REQUIRE(ended.status == 0);
  };
  run("before");
  const auto pictures = nbs::test::entries_of(nbs.folder() / "before" / "labeled");
  REQUIRE(pictures.size() == 15);  // five of each image
  const auto first = pictures.front().substr(0, pictures.front().find('.'));
  std::string other;
  for (const auto& name : pictures) {
    if (name.rfind(first + ".", 0) != 0) other = name.substr(0, name.find('.'));
  }
  // Another image's mask in the place of its own.
  fs::copy_file(nbs.folder() / "set" / "masks" / (other + ".png"), nbs.folder() / "set" / "masks" / (first + ".png"),
                fs::copy_options::overwrite_existing);
  run("after");
  const auto map = [&](const std::string& name, const std::string& id) {
    return nbs::read_file(nbs.folder() / name / "labeled" / (id + ".probability.png"));
  };
  const bool own_changed = map("before", first) != map("after", first);
  const bool other_changed = map("before", other) != map("after", other);
  CHECK_FALSE(own_changed);
  CHECK(other_changed);
}
