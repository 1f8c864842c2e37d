// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <typeinfo>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "nbs/base/files.h"
#include "nbs/error.h"

#include "mutate.h"
#include "runner.h"
#include "scratch.h"
#include "target.h"

// nbs-fuzz TARGET: hands damaged files to the readers of this project. See CONTRIBUTING.md.

namespace {

using namespace nbs;

// What is wrong with how a reader takes an input, or "".
std::string problem_with(const fuzz::Target& target, const fuzz::Seed& input, const std::filesystem::path& scratch) {
  std::error_code ignored;
  std::filesystem::remove_all(scratch, ignored);
  std::filesystem::create_directory(scratch);
  try {
    target.read(input, scratch);
  } catch (const Error&) {
    // As it should be: a sentence.
  } catch (const std::exception& error) {
    return fmt::format("{} instead of an nbs::Error: {}", typeid(error).name(), error.what());
  } catch (...) {
    return "it threw something that is no exception";
  }
  return "";
}

struct Options {
  std::uint64_t runs = 1000;
  std::uint64_t seed = 1;
  std::uint64_t first = 0;
  std::string keep = "nbs-fuzz-failures";
  std::string input;
};

std::string keep_input(const Options& options, const fuzz::Target& target, std::uint64_t run, const fuzz::Seed& input) {
  std::filesystem::create_directories(options.keep);
  const auto file =
      std::filesystem::path(options.keep) / fmt::format("{}-{}-{}-{}", target.name, options.seed, run, input.name);
  write_file(file, input.bytes);
  return file.string();
}

// Returns the number of failures; after a few there is enough to do.
int attack(const fuzz::Target& target, const Options& options) {
  constexpr int kEnough = 20;
  const test::Scratch scratch;
  const auto folder = scratch / "input";
  int failures = 0;
  const std::uint64_t end = options.first + options.runs;
  const auto run = [&](std::uint64_t i) {
    return problem_with(target, fuzz::mutated(target, options.seed, i), folder);
  };
  for (std::uint64_t next = options.first; next < end && failures < kEnough; ++next) {
    const auto failure = fuzz::run_in_child(next, end, {}, scratch.path(), run);
    if (!failure) break;
    ++failures;
    const auto kept = keep_input(options, target, failure->run, fuzz::mutated(target, options.seed, failure->run));
    fmt::print("{}: run {} of seed {}: {}\n  kept as {}; again with: nbs-fuzz {} --input {}\n{}", target.name,
               failure->run, options.seed, failure->reason, kept, target.name, kept, failure->output);
    next = failure->run;
  }
  fmt::print("{}: {} runs of seed {}, {}\n", target.name, options.runs, options.seed,
             failures == 0 ? "no failure" : fmt::format("{} failures", failures));
  std::fflush(stdout);
  return failures;
}

// Every seed must be taken without an error, or the mutations test nothing but the first check.
void try_seeds(const fuzz::Target& target) {
  const test::Scratch scratch;
  for (const auto& seed : target.seeds) {
    try {
      std::filesystem::create_directory(scratch / "input");
      target.read(seed, scratch / "input");
      std::filesystem::remove_all(scratch / "input");
    } catch (const std::exception& error) {
      throw Error(fmt::format("the valid input {} of {} is refused: {}", seed.name, target.name, error.what()));
    }
  }
}

int try_file(const fuzz::Target& target, const std::string& file) {
  const test::Scratch scratch;
  const auto problem =
      problem_with(target, {std::filesystem::path(file).filename().string(), read_file(file)}, scratch / "input");
  fmt::print("{}\n", problem.empty() ? "no failure" : problem);
  return problem.empty() ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  CLI::App app("Hands mutations of valid files to the readers: each must give a value or a sentence.", "nbs-fuzz");
  Options options;
  std::vector<std::string> names;
  app.add_option("TARGET", names, "Readers to attack, or \"all\"; without one they are listed");
  app.add_option("--runs", options.runs, "Inputs for each target")->capture_default_str();
  app.add_option("--seed", options.seed, "The same seed makes the same inputs")->capture_default_str();
  app.add_option("--first", options.first, "Number of the first run")->capture_default_str();
  app.add_option("--keep", options.keep, "Folder for the inputs of failures")->capture_default_str();
  app.add_option("--input", options.input, "Try this file instead, in this process, as for a debugger");
  CLI11_PARSE(app, count, words);
  // Files are flushed to disk when they are written, which a folder in memory makes cheap.
  if (access("/dev/shm", W_OK) == 0) setenv("TMPDIR", "/dev/shm", 0);
  try {
    int failures = 0;
    bool any = false;
    for (const auto& target : fuzz::targets()) {
      if (names.empty()) fmt::print("{} ({} seeds)\n", target.name, target.seeds.size());
      const bool all = std::find(names.begin(), names.end(), "all") != names.end();
      if (!all && std::find(names.begin(), names.end(), target.name) == names.end()) continue;
      any = true;
      if (!options.input.empty()) return try_file(target, options.input);
      try_seeds(target);
      failures += attack(target, options);
    }
    if (!names.empty() && !any) throw Error(fmt::format("there is no target \"{}\"", names.front()));
    return failures == 0 ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "nbs-fuzz: {}\n", error.what());
    return 2;
  }
}
