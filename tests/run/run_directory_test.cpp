// SPDX-License-Identifier: Apache-2.0
#include "nbs/run/run_directory.h"

#include <set>

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "environment.h"
#include "error_text.h"

using namespace nbs;
using doctest::Contains;

TEST_CASE("a run's folder is named after the pipeline and its hash, and holds the resolved file") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("crack", 3);
  const auto folder = run::make_run_directory(scratch / "deep" / "runs", pipeline);
  CHECK(folder.parent_path() == scratch / "deep" / "runs");
  CHECK(folder.filename().string() == "crack-" + config::short_hash(pipeline));
  CHECK(nbs::read_file(folder / "resolved.toml") == config::to_toml(pipeline));
  const auto other = run::make_run_directory(scratch / "deep" / "runs", test::small_pipeline("crack", 4));
  CHECK(other.filename().string().substr(0, 6) == "crack-");
  CHECK(other != folder);
  CHECK(other.filename().string().size() == folder.filename().string().size());
}

TEST_CASE("the same pipeline again gets a folder with a number") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("a");
  const auto first = run::make_run_directory(scratch.path(), pipeline);
  scratch.write(first.filename().string() + "/result.json", "{}");
  CHECK(run::make_run_directory(scratch.path(), pipeline) == std::filesystem::path(first.string() + "-2"));
  CHECK(run::make_run_directory(scratch.path(), pipeline) == std::filesystem::path(first.string() + "-3"));
  CHECK(nbs::read_file(first / "result.json") == "{}");
}

TEST_CASE("runs that start at the same moment never share a folder") {
  const test::Scratch scratch;
  constexpr int kRuns = 12;
  const auto pipeline = test::small_pipeline("race");
  int gate[2];  // all children wait until the parent closes it
  REQUIRE(pipe(gate) == 0);
  for (int i = 0; i < kRuns; ++i) {
    if (fork() != 0) continue;
    close(gate[1]);
    char nothing = 0;
    int code = read(gate[0], &nothing, 1) == 0 ? 0 : 2;
    try {
      const auto folder = run::make_run_directory(scratch / "runs", pipeline);
      nbs::write_file(scratch / ("got-" + std::to_string(i)), folder.filename().string());
      run::use_run_directory(scratch / "named", pipeline);
      nbs::write_file(scratch / ("named-" + std::to_string(i)), "");
    } catch (const Error&) {
    } catch (...) {
      code = 3;
    }
    _exit(code);
  }
  close(gate[0]);
  close(gate[1]);
  for (int i = 0; i < kRuns; ++i) {
    int status = 0;
    wait(&status);
    CHECK(status == 0);
  }
  std::set<std::string> folders;
  int named = 0;
  for (int i = 0; i < kRuns; ++i) {
    folders.insert(nbs::read_file(scratch / ("got-" + std::to_string(i))));
    named += std::filesystem::exists(scratch / ("named-" + std::to_string(i))) ? 1 : 0;
  }
  CHECK(folders.size() == kRuns);
  CHECK(named == 1);
}

TEST_CASE("a folder that the user names must be new or empty") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("a");
  CHECK(run::use_run_directory(scratch / "new" / "run", pipeline) == scratch / "new" / "run");
  CHECK(nbs::read_file(scratch / "new" / "run" / "resolved.toml") == config::to_toml(pipeline));
  std::filesystem::create_directories(scratch / "empty");
  CHECK_NOTHROW(run::use_run_directory(scratch / "empty", pipeline));
  scratch.write("full/result.json", "precious");
  CHECK(test::error_text([&] { run::use_run_directory(scratch / "full", pipeline); }) ==
        test::text("the run folder " + (scratch / "full").string() +
                   " is not empty; name a new one, so that no result is lost"));
  CHECK(test::entries_of(scratch / "full").size() == 1);
}

TEST_CASE("an output folder that cannot be made is named, with what to do") {
  const test::Scratch scratch;
  const auto file = scratch.write("file", "");
  const auto pipeline = test::small_pipeline("a");
  for (const auto& parent : {file, file / "below", std::filesystem::path("/proc/nbs")}) {
    CAPTURE(parent.string());
    const auto sentence = test::error_text([&] { run::make_run_directory(parent, pipeline); });
    CHECK(sentence == Contains(parent.c_str()));
    CHECK(sentence == Contains("cannot be made"));
    CHECK(sentence == Contains("--out"));
    CHECK(test::error_text([&] { run::use_run_directory(parent, pipeline); }) == Contains("--out"));
  }
}

TEST_CASE("a run is finished if its result says so") {
  const test::Scratch scratch;
  CHECK_FALSE(run::is_finished(scratch / "none"));
  CHECK_FALSE(run::is_finished(scratch.path()));
  const auto with = [&](const std::string& text) {
    scratch.write("result.json", text);
    return run::is_finished(scratch.path());
  };
  CHECK(with("{\"ending\": \"finished\"}"));
  CHECK(with("{\"ending\": \"patience\"}"));
  CHECK_FALSE(with("{\"ending\": \"interrupted\"}"));
  CHECK_FALSE(with("{\"ending\": 3}"));
  CHECK_FALSE(with("{}"));
  CHECK_FALSE(with("[1, 2]"));
  CHECK_FALSE(with("{\"ending\": \"fini"));
  CHECK_FALSE(with(""));
}

TEST_CASE("a text that is no UTF-8, which no TOML file can hold, is refused before anything is made") {
  const test::Scratch scratch;
  auto pipeline = test::small_pipeline("a");
  pipeline.plugin_path = {"/plugins/a\xff"};
  for (const bool named : {false, true}) {
    const auto sentence = test::error_text([&] {
      named ? run::use_run_directory(scratch / "runs", pipeline) : run::make_run_directory(scratch / "runs", pipeline);
    });
    CHECK(sentence == doctest::Contains("a text of the pipeline is not UTF-8, so no TOML file can hold it: "));
    CHECK(sentence == doctest::Contains("/plugins/a"));
    CHECK(sentence == doctest::Contains("rename the file or folder that it names"));
  }
  CHECK_FALSE(std::filesystem::exists(scratch / "runs"));
}
