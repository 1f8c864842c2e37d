// SPDX-License-Identifier: Apache-2.0
// Runs that a signal cuts off and that go on, and checkpoints that are refused.
#include <csignal>
#include <cstring>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"

#include "background.h"
#include "error_text.h"
#include "program.h"
#include "resumed_runs.h"

namespace fs = std::filesystem;
using doctest::Contains;
using nbs::test::Background;
using nbs::test::check_same;
using nbs::test::environment;
using nbs::test::files_of;
using nbs::test::Program;
using nbs::test::rich;
using nbs::test::runs_in;
using nbs::test::text;
using nbs::test::with;
using nbs::test::Words;
using Json = nlohmann::ordered_json;

namespace {

// So many iterations that a signal comes in the middle of them.
constexpr int kLong = 80;

// A run that SIGTERM has ended in the middle, and the same one whole.
struct CutOff {
  Program nbs;
  fs::path folder = nbs.folder() / "run";

  explicit CutOff(const std::string& minutes = "1000") {
    nbs.folder().write("rich.toml", rich(kLong));
    const auto ended = nbs({"run", "rich.toml", "--run-dir", "whole", "--progress", "none"});
    INFO(ended.errors);
    REQUIRE(ended.status == 0);
    Background run({NBS_PROGRAM, "run", "rich.toml", "--run-dir", "run", "--progress", "none", "--set",
                    "train.checkpoint_minutes=" + minutes},
                   nbs.folder().path(), environment(nbs));
    REQUIRE(nbs::test::wait_until([&] { return nbs::file_length(folder / "metrics.jsonl") > 0; }));
    run.send(SIGTERM);
    CHECK(run.wait() == 143);
  }
  nbs::test::Ended resume(const Words& more = {}) const { return nbs(with({"run", "--resume", "run"}, more)); }
  void check_whole() const { check_same(folder, nbs.folder() / "whole"); }
};

}  // namespace

TEST_CASE("SIGTERM writes a checkpoint, scores what there is, and nbs run --resume goes on to the same bytes") {
  CutOff run;
  CHECK(fs::exists(run.folder / "checkpoint.nbs"));
  const auto result = Json::parse(nbs::read_file(run.folder / "result.json"));
  CHECK(result.at("stop_reason") == "interrupted");
  // What came after the checkpoint is cut off, also if it is half a line.
  nbs::write_file(run.folder / "metrics.jsonl",
                  nbs::read_file(run.folder / "metrics.jsonl") + "{\"iteration\": 1000}\n{\"iter");
  const auto ended = run.resume();
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK(text(ended.errors) == Contains("goes on from the checkpoint after "));
  run.check_whole();
  // Its time is the time of both parts.
  const auto seconds = Json::parse(nbs::read_file(run.folder / "result.json")).at("seconds");
  CHECK(seconds.at("total").get<double>() > result.at("seconds").at("training").get<double>());

  const auto again = run.resume();
  CHECK(again.status == 0);
  CHECK(text(again.errors) == Contains("run is finished; there is nothing to go on with"));
}

TEST_CASE("without checkpoints, or in another folder, there is nothing to go on from, and a sentence says so") {
  CutOff run("0");
  CHECK_FALSE(fs::exists(run.folder / "checkpoint.nbs"));
  auto ended = run.resume();
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("run has no checkpoint to go on from (checkpoint.nbs)"));
  CHECK(text(ended.errors) == Contains("nbs run run/resolved.toml"));
  ended = run.nbs({"run", "--resume", "nowhere"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("nowhere is no folder of a run"));
  ended = run.resume({"rich.toml"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("--resume goes on with the pipeline in the run's folder"));
  CHECK(run.nbs({"run"}).status == 2);
}

namespace {

// The checkpoint as another version would have written it: every checksum is right.
std::string of_another_version(const std::string& checkpoint) {
  const auto first = checkpoint.find('\n') + 1;
  const auto begin = checkpoint.find('\n', first) + 1;
  std::uint64_t length = 0;
  std::memcpy(&length, checkpoint.data() + begin, sizeof length);
  auto header = checkpoint.substr(begin, sizeof length + length);
  auto numbers = checkpoint.substr(begin + header.size());
  const auto before = nbs::sha256(numbers);
  const auto at = numbers.find("nbs 0.");
  REQUIRE(at != std::string::npos);
  numbers.replace(at, 6, "nbs 9.");
  const auto noted = header.find(before);
  REQUIRE(noted != std::string::npos);
  header.replace(noted, before.size(), nbs::sha256(numbers));
  return checkpoint.substr(0, first) + nbs::sha256(header) + "\n" + header + numbers;
}

}  // namespace

TEST_CASE("a checkpoint is refused if the images have changed since it was written") {
  const Program nbs;
  nbs.folder().write("rich.toml", rich(kLong));
  REQUIRE(nbs({"data", "rich.toml", "--export", "set", "--layout", "folder"}).status == 0);
  const Words on_disk = {"--set", "data.format=folder", "--set", "data.root=set"};
  Background run(with({NBS_PROGRAM, "run", "rich.toml", "--run-dir", "run", "--progress", "none"}, on_disk),
                 nbs.folder().path(), environment(nbs));
  REQUIRE(nbs::test::wait_until([&] { return nbs::file_length(nbs.folder() / "run" / "metrics.jsonl") > 0; }));
  run.send(SIGTERM);
  CHECK(run.wait() == 143);
  const auto images = nbs.folder() / "set" / "images";
  const auto one = nbs::read_file(images / "001.png");
  nbs::write_file(images / "001.png", nbs::read_file(images / "002.png"));
  auto ended = nbs({"run", "--resume", "run"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("the images or the masks of the labeled ones have changed since"));
  // A folder that is gone for a while costs nothing.
  fs::rename(images, nbs.folder() / "elsewhere");
  ended = nbs({"run", "--resume", "run"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("set"));
  fs::rename(nbs.folder() / "elsewhere", images);
  nbs::write_file(images / "001.png", one);
  CHECK(nbs({"run", "--resume", "run"}).status == 0);
}

TEST_CASE("a damaged checkpoint or one of another pipeline is refused, and a batch begins anew in the folder") {
  const CutOff run;
  const auto bytes = nbs::read_file(run.folder / "checkpoint.nbs");
  const auto resolved = nbs::read_file(run.folder / "resolved.toml");
  const auto flipped = [](std::string whole, std::size_t at) {
    whole.at(at) = static_cast<char>(whole.at(at) ^ 4);
    return whole;
  };
  const auto age = bytes.find("trainer.age");
  const auto seed = resolved.find("\nseed = 0\n");
  REQUIRE(age != std::string::npos);
  REQUIRE(seed != std::string::npos);
  struct Damage {
    const char* file;
    std::string text;
    const char* reason;
  };
  const std::vector<Damage> damages = {
      {"checkpoint.nbs", bytes.substr(0, bytes.size() - 1), "is damaged"},
      {"checkpoint.nbs", bytes.substr(0, 20), "it has only 20 bytes"},
      {"checkpoint.nbs", "", "it does not begin as one of this version"},
      {"checkpoint.nbs", flipped(bytes, bytes.size() - 9), "its numbers have the SHA-256"},
      {"checkpoint.nbs", flipped(bytes, age), "its header has changed"},
      {"checkpoint.nbs", of_another_version(bytes), "it was written by nbs 9."},
      {"metrics.jsonl", "{\"iteration\":0}\n", "metrics.jsonl has 16 bytes, but had"},
      {"resolved.toml", flipped(resolved, seed + 8), "it is of a pipeline whose resolved file has the SHA-256"}};
  for (const auto& [file, text_of_file, reason] : damages) {
    CAPTURE(reason);
    const auto good = nbs::read_file(run.folder / file);
    nbs::write_file(run.folder / file, text_of_file);
    const auto before = files_of(run.folder);
    const auto ended = run.resume();
    CHECK(ended.status == 1);
    CHECK(text(ended.errors) == Contains(reason));
    CHECK(text(ended.errors) == Contains("start the run again from its beginning"));
    CHECK((files_of(run.folder) == before));  // refusing costs nothing
    nbs::write_file(run.folder / file, good);
  }

  // In the place where a batch looks for it: the name of the folder holds the hash.
  const auto made = run.nbs({"run", "rich.toml", "--out", "names", "--progress", "none"});
  REQUIRE(made.status == 0);
  fs::create_directory(run.nbs.folder() / "runs");
  const auto folder = run.nbs.folder() / "runs" / runs_in(run.nbs.folder() / "names").at(0).filename();
  fs::rename(run.folder, folder);
  nbs::write_file(folder / "checkpoint.nbs", flipped(bytes, age));
  const auto ended = run.nbs({"batch", "rich.toml", "--out", "runs"});
  INFO(ended.output);
  CHECK(ended.status == 0);
  CHECK(text(ended.output) == Contains("from its beginning: the checkpoint was refused, log.txt says why"));
  CHECK(text(nbs::read_file(folder / "log.txt")) == Contains("its header has changed"));
  CHECK(runs_in(run.nbs.folder() / "runs").size() == 1);
  check_same(folder, run.nbs.folder() / "whole");
}
