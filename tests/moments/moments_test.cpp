// SPDX-License-Identifier: Apache-2.0
// The moments of a night that no unit test can make: the real programs, and a system that fails them. No finished
// result is lost, doubled or overwritten, and what is wrong is said.
#include <csignal>
#include <map>
#include <optional>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "nbs/base/files.h"

#include "background.h"
#include "error_text.h"
#include "program.h"
#include "tiny_pipeline.h"

namespace {

namespace fs = std::filesystem;
using doctest::Contains;
using nbs::test::Background;
using nbs::test::Program;
using nbs::test::text;
using nbs::test::wait_until;
using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

std::string tiny(const std::string& sweep = "", int iterations = 12) {
  nbs::test::TinyOptions options;
  options.train = "iterations = " + std::to_string(iterations) + "\npatches = 8\nreinit_every = 0";
  return nbs::test::tiny_pipeline(options) + sweep;
}

std::vector<fs::path> runs_in(const fs::path& folder) {
  std::vector<fs::path> runs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (fs::exists(entry.path() / "resolved.toml")) runs.push_back(entry.path());
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

std::string lasting(const fs::path& run) {
  auto json = Json::parse(nbs::read_file(run / "result.json"));
  for (const auto* const key : {"seconds", "peak_memory_mib", "checksum"})
    json.erase(key);
  return json.dump(1) + nbs::read_file(run / "metrics.jsonl");
}

// Files that nbs had not finished to write.
std::size_t unfinished_in(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    count += nbs::is_unfinished_file(entry.path().filename().string()) ? 1 : 0;
  return count;
}

std::size_t size_of(const fs::path& folder) {
  std::size_t size = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    size += entry.is_regular_file() ? static_cast<std::size_t>(entry.file_size()) : 0;
  return size;
}

// A file system of its own in memory, small enough to be filled; not there where this process may not mount one.
class SmallDisk {
 public:
  explicit SmallDisk(const fs::path& folder) : folder_(folder) {
    fs::create_directory(folder);
    mounted_ = mount("nbs-test", folder.c_str(), "tmpfs", 0, "size=8m") == 0;
    if (!mounted_) MESSAGE("skipped: this process may not mount a file system, which a full disk needs");
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  bool is_there() const { return mounted_; }
  // Leaves so many bytes.
  void fill(std::size_t left) const {
    struct statvfs status {};
    REQUIRE(statvfs(folder_.c_str(), &status) == 0);
    const auto free = static_cast<std::size_t>(status.f_bfree) * status.f_bsize;
    REQUIRE(free > left);
    nbs::write_file(folder_ / "filler", std::string(free - left, 'x'));
  }
  void clear() const { fs::remove(folder_ / "filler"); }

 private:
  fs::path folder_;
  bool mounted_ = false;
};

// Shell text in front of a program that is to have a bad system; empty where that cannot be done.
std::string bad_system(const std::string& variable) {
  const std::string library = NBS_BAD_SYSTEM;
  if (library.empty()) {
    MESSAGE("skipped: the sanitizers leave no room for a library before them");
    return "";
  }
  return variable + " LD_PRELOAD='" + library + "'";
}

std::vector<std::pair<std::string, std::string>> environment(const Program& nbs) {
  return {{"OMP_NUM_THREADS", "1"},
          {"XDG_CACHE_HOME", (nbs.folder() / "cache").string()},
          {"NBS_PLUGIN_PATH", ""},
          {"NBS_WORKER", ""}};
}

}  // namespace

TEST_CASE("a folder on a file system without locks: that is said once, the batch is done, and done once") {
  const auto before = bad_system("NBS_TEST_NO_LOCKS=1");
  if (before.empty()) return;
  const Program nbs;
  nbs.folder().write("a.toml", tiny("[sweep.grid]\nseed = [0, 1]\n"));
  auto ended = nbs({"batch", "a.toml"}, before);
  INFO(ended.errors);
  CHECK(ended.status == 0);
  const std::string note = "runs has no locks (No locks available)";
  const auto first = ended.errors.find(note);
  REQUIRE(first != std::string::npos);
  CHECK(ended.errors.find(note, first + 1) == std::string::npos);
  CHECK(text(ended.errors) == Contains("start only one"));
  CHECK(runs_in(nbs.folder() / "runs").size() == 2);
  for (const auto& run : runs_in(nbs.folder() / "runs"))
    CHECK_FALSE(fs::exists(run / ".lock"));  // nothing is left that nobody can hold
  ended = nbs({"batch", "a.toml"}, before);
  CHECK(ended.status == 0);
  CHECK(text(ended.output) == Contains("[2/2] finished before: tiny (seed=1)"));
  CHECK(nbs({"batch", "--status"}, before).output == "in runs: 2 finished\n");
  CHECK(runs_in(nbs.folder() / "runs").size() == 2);
}

TEST_CASE("disk full during a checkpoint: that is said once, and the run goes on to the same result") {
  const Program nbs;
  const SmallDisk disk(nbs.folder() / "disk");
  if (!disk.is_there()) return;
  nbs.folder().write("a.toml", tiny("", 60));
  REQUIRE(nbs({"run", "a.toml", "--run-dir", "whole", "--set", "train.checkpoint_minutes=0"}).status == 0);
  disk.fill(40000);  // enough for metrics, not for a checkpoint
  Background run({NBS_PROGRAM, "run", "a.toml", "--run-dir", "disk/run", "--progress", "lines", "--set",
                  "train.checkpoint_minutes=0.0000001"},
                 nbs.folder().path(), environment(nbs));
  const std::string said = "no checkpoint could be written: writing";
  CHECK(wait_until([&] { return run.errors().find(said) != std::string::npos; }));
  disk.clear();
  CHECK(run.wait() == 0);
  const auto errors = nbs::read_file(nbs.folder() / "errors.txt");
  CHECK(text(errors) == Contains("No space left on device; free some space; the run goes on"));
  CHECK(errors.find(said, errors.find(said) + 1) == std::string::npos);
  CHECK((lasting(nbs.folder() / "disk" / "run") == lasting(nbs.folder() / "whole")));
  CHECK(unfinished_in(nbs.folder() / "disk") == 0);
}

TEST_CASE("disk full during metrics and result: the run fails with a sentence, and goes on when there is space") {
  const Program nbs;
  const SmallDisk disk(nbs.folder() / "disk");
  if (!disk.is_there()) return;
  nbs.folder().write("a.toml", tiny("", 60));
  REQUIRE(nbs({"run", "a.toml", "--run-dir", "whole", "--set", "train.checkpoint_minutes=0"}).status == 0);
  const auto run = nbs.folder() / "disk" / "run";
  {
    Background cut({NBS_PROGRAM, "run", "a.toml", "--run-dir", "disk/run", "--progress", "none"}, nbs.folder().path(),
                   environment(nbs));
    REQUIRE(wait_until([&] { return nbs::file_length(run / "metrics.jsonl") > 0; }));
    cut.send(SIGTERM);
    CHECK(cut.wait() == 143);
  }
  const auto length_at_first = nbs::file_length(run / "metrics.jsonl");
  // At several places of what is left to write; always it fails in a sentence, and always the checkpoint stays.
  const auto needed = size_of(nbs.folder() / "whole" / "model") +
                      nbs::file_length(nbs.folder() / "whole" / "metrics.jsonl") -
                      nbs::file_length(run / "metrics.jsonl");
  for (const std::size_t left : {std::size_t{0}, needed / 3, needed * 2 / 3}) {
    CAPTURE(left);
    // What the last attempt has left is replaced by this one, and would give it space.
    for (const auto* const name : {"model", "predictions", "labeled", "result.json", "report.html"})
      fs::remove_all(run / name);
    nbs::cut_file(run / "metrics.jsonl", std::min(nbs::file_length(run / "metrics.jsonl"), length_at_first));
    disk.fill(left);
    const auto ended = nbs({"run", "--resume", "disk/run", "--progress", "none"});
    INFO(ended.errors);
    CHECK(ended.status == 1);
    CHECK(text(ended.errors) == Contains("No space left on device"));
    CHECK(fs::exists(run / "checkpoint.nbs"));
    disk.clear();
    CHECK(unfinished_in(nbs.folder() / "disk") == 0);
  }
  const auto ended = nbs({"run", "--resume", "disk/run", "--progress", "none"});
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK((lasting(run) == lasting(nbs.folder() / "whole")));
}

TEST_CASE("disk full during a report: the results stay, a sentence says so, and nbs report makes it later") {
  const Program nbs;
  const SmallDisk disk(nbs.folder() / "disk");
  if (!disk.is_there()) return;
  nbs.folder().write("a.toml", tiny("[sweep.grid]\nseed = [0, 1]\n"));
  REQUIRE(nbs({"batch", "a.toml", "--out", "disk/runs"}).status == 0);
  const auto before = nbs::read_file(nbs.folder() / "disk" / "runs" / "index.html");
  std::map<fs::path, std::string> results;
  for (const auto& run : runs_in(nbs.folder() / "disk" / "runs"))
    results[run] = nbs::read_file(run / "result.json");
  disk.fill(0);
  auto ended = nbs({"batch", "a.toml", "--out", "disk/runs"});
  CHECK(ended.status == 1);
  CHECK(text(ended.errors) == Contains("nbs: no report of disk/runs: writing"));
  CHECK(text(ended.errors) == Contains("No space left on device; free some space"));
  CHECK((nbs::read_file(nbs.folder() / "disk" / "runs" / "index.html") == before));
  for (const auto& [run, result] : results)
    CHECK(nbs::read_file(run / "result.json") == result);
  disk.clear();
  CHECK(nbs({"report", "disk/runs"}).status == 0);
  CHECK(unfinished_in(nbs.folder() / "disk") == 0);
}

TEST_CASE("the data folder vanishes under a batch: what was not read fails in a sentence; later the batch goes on") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny());
  REQUIRE(nbs({"data", "a.toml", "--export", "set", "--layout", "folder"}).status == 0);
  nbs.folder().write("b.toml", tiny("[sweep.grid]\nseed = [0, 1, 2]\n", 40));
  const Words words = {"batch", "b.toml", "--set", "data.format=folder", "--set", "data.root=set"};
  {
    Words all = {NBS_PROGRAM};
    all.insert(all.end(), words.begin(), words.end());
    Background batch(all, nbs.folder().path(), environment(nbs));
    // The first run has read its images, and the others have not begun.
    const auto trains = [&] {
      for (const auto& entry :
           fs::recursive_directory_iterator(nbs.folder().path(), fs::directory_options::skip_permission_denied)) {
        if (entry.path().filename() == "metrics.jsonl" && nbs::file_length(entry.path()) > 0) return true;
      }
      return false;
    };
    REQUIRE(wait_until(trains));
    fs::rename(nbs.folder() / "set", nbs.folder() / "elsewhere");
    CHECK(batch.wait() == 1);
    // With what the worker said, from the run's log.
    const auto failed = "[3/3] tiny (seed=2) FAILED (status 1): ";
    const auto at = batch.output().find(failed);
    REQUIRE(at != std::string::npos);
    const auto line = batch.output().substr(at, batch.output().find('\n', at) - at);
    CHECK(text(line) == Contains((nbs.folder() / "set").string().c_str()));
    CHECK(text(line) == Contains("; see "));
  }
  std::size_t said = 0;
  for (const auto& run : runs_in(nbs.folder() / "runs")) {
    const auto log = nbs::read_file(run / "log.txt");
    if (log.find((nbs.folder() / "set").string()) != std::string::npos) ++said;
  }
  CHECK(said >= 2);
  fs::rename(nbs.folder() / "elsewhere", nbs.folder() / "set");
  const auto ended = nbs(words);
  INFO(ended.output);
  CHECK(ended.status == 0);
  CHECK(runs_in(nbs.folder() / "runs").size() == 3);
}

TEST_CASE(
    "a result that is cut off, or of which a bit has flipped, is never believed: the run is done again beside it") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny());
  REQUIRE(nbs({"batch", "a.toml"}).status == 0);
  const auto run = runs_in(nbs.folder() / "runs").at(0);
  const auto good = nbs::read_file(run / "result.json");
  const auto expected = lasting(run);
  // A digit of a number that tables show becomes another digit, which is still good JSON.
  auto flipped = good;
  const auto digit = flipped.find("\"iterations\": 12");
  REQUIRE(digit != std::string::npos);
  flipped[digit + 15] = '3';
  const auto cut = good.substr(0, good.size() / 2);
  std::size_t number = 1;
  for (const auto& damaged : {flipped, cut, std::string()}) {
    CAPTURE(damaged);
    nbs::write_file(run / "result.json", damaged);
    CHECK(text(nbs({"report", "runs"}).errors) == "");
    CHECK(text(nbs::read_file(nbs.folder() / "runs" / "index.html")) == Contains("is damaged"));
    const auto ended = nbs({"batch", "a.toml"});
    CHECK(ended.status == 0);
    CHECK(nbs::read_file(run / "result.json") == damaged);  // left for whoever wants to see it
    const auto runs = runs_in(nbs.folder() / "runs");
    REQUIRE(runs.size() == ++number);
    CHECK((lasting(runs.back()) == expected));
    nbs::write_file(runs.back() / "result.json", damaged);
  }
  // As it was, it counts again.
  nbs::write_file(run / "result.json", good);
  CHECK(text(nbs({"batch", "a.toml"}).output) == Contains("finished before"));
}

TEST_CASE("a pipeline that changes between two starts of a batch is another run; nothing of the first is touched") {
  const Program nbs;
  nbs.folder().write("a.toml", tiny());
  REQUIRE(nbs({"batch", "a.toml"}).status == 0);
  const auto first = runs_in(nbs.folder() / "runs").at(0);
  const auto before = lasting(first);
  nbs.folder().write("a.toml", tiny("", 13));
  REQUIRE(nbs({"batch", "a.toml"}).status == 0);
  const auto runs = runs_in(nbs.folder() / "runs");
  REQUIRE(runs.size() == 2);
  CHECK((lasting(first) == before));
  nbs.folder().write("a.toml", tiny());
  CHECK(text(nbs({"batch", "a.toml"}).output) ==
        Contains(("finished before: tiny -> runs/" + first.filename().string()).c_str()));
}

TEST_CASE("a clock that is set back by a day changes nothing, in the middle of a run or between two starts") {
  const auto before = bad_system("NBS_TEST_CLOCK=-86400");
  if (before.empty()) return;
  const Program nbs;
  nbs.folder().write("a.toml", tiny("", 60));
  REQUIRE(nbs({"run", "a.toml", "--run-dir", "whole", "--set", "train.checkpoint_minutes=0"}).status == 0);
  {
    Background cut({NBS_PROGRAM, "run", "a.toml", "--run-dir", "run", "--progress", "none"}, nbs.folder().path(),
                   environment(nbs));
    REQUIRE(wait_until([&] { return nbs::file_length(nbs.folder() / "run" / "metrics.jsonl") > 0; }));
    cut.send(SIGTERM);
    CHECK(cut.wait() == 143);
  }
  const auto ended = nbs({"run", "--resume", "run", "--progress", "none"}, before);
  INFO(ended.errors);
  CHECK(ended.status == 0);
  CHECK((lasting(nbs.folder() / "run") == lasting(nbs.folder() / "whole")));
  const auto seconds = Json::parse(nbs::read_file(nbs.folder() / "run" / "result.json")).at("seconds");
  for (const auto& [stage, value] : seconds.items()) {
    CAPTURE(stage);
    CHECK((value.is_null() || (value.get<double>() >= 0 && value.get<double>() < 3600)));
  }
}
