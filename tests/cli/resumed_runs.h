// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of runs that are cut off share: a pipeline with everything that a checkpoint holds, and when two runs
// are the same.

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"

#include "program.h"
#include "tiny_pipeline.h"

namespace nbs::test {

using Words = std::vector<std::string>;

/// Every component that keeps something is in use: a sampler that learns, folds, reference maps, cycles, a buffer.
inline std::string rich(int iterations = 24) {
  TinyOptions tiny;
  tiny.top = "name = \"rich\"";
  tiny.profile = "length = 2\ncycles = 2\nreference_images = 2";
  tiny.sampler = "plugin = \"rl\"";
  tiny.train = "iterations = " + std::to_string(iterations) +
               "\npatches = 8\nreinit_every = 7\npredictor_iterations = 4\nshuffle = true\nselection = \"last\"";
  return tiny_pipeline(tiny) + "[augment]\nflip = true\n[[postproc]]\nplugin = \"morphology\"\n";
}

/// The result without what differs from time to time.
inline std::string lasting(const std::filesystem::path& result) {
  auto json = nlohmann::ordered_json::parse(nbs::read_file(result));
  json.erase("seconds");
  json.erase("peak_memory_mib");
  json.erase("checksum");  // of all of it
  return json.dump(1);
}

/// All files of a run that must be the same, by their names.
inline std::map<std::string, std::string> files_of(const std::filesystem::path& run) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run)) {
    const auto name = std::filesystem::relative(entry.path(), run).string();
    // These say when, for how long and with which other options; the page repeats them.
    static const std::set<std::string> kOthers = {"provenance.json", "report.html", "log.txt", "resolved.toml"};
    if (!entry.is_regular_file() || kOthers.count(name) != 0) continue;
    files[name] = name == "result.json" ? lasting(entry.path()) : nbs::read_file(entry.path());
  }
  return files;
}

/// File by file, so that a failure names one and does not print it.
inline void check_same(const std::filesystem::path& run, const std::filesystem::path& whole) {
  const auto ours = files_of(run);
  const auto theirs = files_of(whole);
  for (const auto& [name, bytes] : theirs) {
    CAPTURE(name);
    CHECK(ours.count(name) == 1);
    if (ours.count(name) == 1) CHECK((ours.at(name) == bytes));
  }
  for (const auto& [name, bytes] : ours) {
    CAPTURE(name);
    CHECK(theirs.count(name) == 1);
  }
  CHECK(theirs.count("metrics.jsonl") == 1);
}

/// The environment of `Program`, for programs beside the test.
inline std::vector<std::pair<std::string, std::string>> environment(const Program& nbs) {
  return {{"OMP_NUM_THREADS", "1"},
          {"XDG_CACHE_HOME", (nbs.folder() / "cache").string()},
          {"NBS_PLUGIN_PATH", ""},
          {"NBS_WORKER", ""}};
}

inline std::vector<std::filesystem::path> runs_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> runs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.is_directory()) runs.push_back(entry.path());
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

inline Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace nbs::test
