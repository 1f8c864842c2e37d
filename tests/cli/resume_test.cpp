// SPDX-License-Identifier: Apache-2.0
// Runs that are cut off, at any moment and by anything, and go on: they end with the same bytes.
#include <csignal>
#include <cstring>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "nbs/base/files.h"
#include "nbs/base/hash.h"

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
using Json = nlohmann::ordered_json;
using Words = std::vector<std::string>;

// So many iterations that a signal comes in the middle of them.
constexpr int kLong = 80;

// Every component that keeps something is in use: a sampler that learns, folds, reference maps, cycles, a buffer.
std::string rich(int iterations = 24) {
  nbs::test::TinyOptions tiny;
  tiny.top = "name = \"rich\"";
  tiny.profile = "length = 2\ncycles = 2\nreference_images = 2";
  tiny.sampler = "plugin = \"rl\"";
  tiny.train = "iterations = " + std::to_string(iterations) +
               "\npatches = 8\nreinit_every = 7\npredictor_iterations = 4\nshuffle = true\nselection = \"last\"";
  return nbs::test::tiny_pipeline(tiny) + "[augment]\nflip = true\n[[postproc]]\nplugin = \"morphology\"\n";
}

std::string patient() {
  nbs::test::TinyOptions tiny;
  tiny.top = "name = \"patient\"";
  tiny.sampler = "plugin = \"heuristic\"";
  tiny.train = "iterations = 40\npatches = 8\nreinit_every = 0\npatience = 12";
  return nbs::test::tiny_pipeline(tiny);
}

constexpr const char* kUnet =
    "name = \"unet\"\n[data]\nimage_size = 32\nlabeled = 2\ncount = 6\n[buffer]\nbatch = 2\ncrop = 16\n"
    "[predictor]\nplugin = \"unet\"\ndepth = 2\nwidth = 4\n[train]\niterations = 20\nthreads = 1\n";

// The result without what differs from time to time.
std::string lasting(const fs::path& result) {
  auto json = Json::parse(nbs::read_file(result));
  json.erase("seconds");
  json.erase("peak_memory_mib");
  json.erase("checksum");  // of all of it
  return json.dump(1);
}

// All files of a run that must be the same, by their names.
std::map<std::string, std::string> files_of(const fs::path& run) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(run)) {
    const auto name = fs::relative(entry.path(), run).string();
    // These say when, for how long and with which other options; the page repeats them.
    static const std::set<std::string> kOthers = {"provenance.json", "report.html", "log.txt", "resolved.toml"};
    if (!entry.is_regular_file() || kOthers.count(name) != 0) continue;
    files[name] = name == "result.json" ? lasting(entry.path()) : nbs::read_file(entry.path());
  }
  return files;
}

// File by file, so that a failure names one and does not print it.
void check_same(const fs::path& run, const fs::path& whole) {
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

// The environment of `Program`, for programs beside the test.
std::vector<std::pair<std::string, std::string>> environment(const Program& nbs) {
  return {{"OMP_NUM_THREADS", "1"},
          {"XDG_CACHE_HOME", (nbs.folder() / "cache").string()},
          {"NBS_PLUGIN_PATH", ""},
          {"NBS_WORKER", ""}};
}

struct Worker {
  pid_t process = 0;
  fs::path folder;
};

// The running worker of a program that trains, if it has one.
std::optional<Worker> worker_of(pid_t parent) {
  const auto own = std::to_string(parent);
  std::istringstream children;
  try {
    children.str(nbs::read_file("/proc/" + own + "/task/" + own + "/children"));
  } catch (const std::exception&) {
    return std::nullopt;
  }
  for (pid_t child = 0; children >> child;) {
    std::vector<std::string> words;
    try {
      std::istringstream line(nbs::read_file("/proc/" + std::to_string(child) + "/cmdline"));
      for (std::string word; std::getline(line, word, '\0');)
        words.push_back(word);
    } catch (const std::exception&) {
      continue;
    }
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (words[i] == "--out" && words[1] == "run") return Worker{child, words[i + 1]};
    }
  }
  return std::nullopt;
}

// What happens to the files of a folder.
class Watch {
 public:
  explicit Watch(const fs::path& folder) : descriptor_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    inotify_add_watch(descriptor_, folder.c_str(), IN_CREATE | IN_MODIFY | IN_MOVED_TO);
  }
  ~Watch() { close(descriptor_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  // Waits for the next change whose kind and name begin with these; false if `program` has ended before.
  bool wait_for(std::uint32_t kind, const std::string& begin, pid_t program) {
    for (;;) {
      while (!seen_.empty()) {
        const auto [mask, name] = seen_.front();
        seen_.erase(seen_.begin());
        if ((mask & kind) != 0 && name.rfind(begin, 0) == 0) return true;
      }
      alignas(inotify_event) char bytes[16384];
      const auto count = read(descriptor_, bytes, sizeof bytes);
      for (ssize_t at = 0; at < count;) {
        const auto* const event = reinterpret_cast<const inotify_event*>(bytes + at);
        if (event->len > 0) seen_.emplace_back(event->mask, event->name);
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
      if (count > 0) continue;
      if (!nbs::test::is_running(program)) return false;
      pollfd ready = {descriptor_, POLLIN, 0};
      poll(&ready, 1, 20);
    }
  }

 private:
  int descriptor_;
  std::vector<std::pair<std::uint32_t, std::string>> seen_;
};

// A moment in the life of a worker: the count-th change of this kind to a file of this name.
struct Moment {
  const char* what;
  std::uint32_t kind;
  const char* begin;
};
constexpr Moment kMoments[] = {{"a file is being written", IN_CREATE, ".nbs-"},
                               {"a line of metrics is being written", IN_MODIFY, "metrics.jsonl"},
                               {"a checkpoint has been written", IN_MOVED_TO, "checkpoint.nbs"},
                               {"the result has been written", IN_MOVED_TO, "result.json"},
                               {"pictures are being written", IN_CREATE, "predictions"}};

std::vector<fs::path> runs_in(const fs::path& folder) {
  std::vector<fs::path> runs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) runs.push_back(entry.path());
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

const Words kBatch = {"batch", "rich.toml", "patient.toml", "unet.toml"};

Words with(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Everything went on in the folders in which it had begun.
void require_three(const Program& nbs) {
  std::string found;
  for (const auto& run : runs_in(nbs.folder() / "killed")) {
    found += run.filename().string() + ":";
    for (const auto& name : nbs::test::entries_of(run))
      found += " " + name;
    found += "\n";
  }
  INFO(found);
  REQUIRE(runs_in(nbs.folder() / "killed").size() == 3);
}

// A worker whose front end was killed ends a moment later, and holds the lock of its run until then. The batch that has
// come after it may have found the run finished and still locked, so one more clears the lock's file away.
void settle(const Program& nbs, pid_t worker) {
  nbs::test::wait_until([worker] { return !nbs::test::is_running(worker); });
  const auto ended = nbs(with(kBatch, {"--out", "killed"}));
  INFO(ended.output);
  CHECK(ended.status == 0);
}

// Starts the batch, kills what `dice` says when it says, and returns the moment; empty if the batch ended before.
// `last` is the worker that was running when something was killed.
std::string killed_once(const Program& nbs, std::mt19937& dice, pid_t& last) {
  const auto below = [&dice](unsigned bound) { return static_cast<int>(dice() % bound); };
  auto words = with(with({NBS_PROGRAM}, kBatch), {"--out", "killed", "--set", "train.checkpoint_minutes=0.0000001"});
  Background batch(words, nbs.folder().path(), environment(nbs));
  std::optional<Worker> worker;
  nbs::test::wait_until([&] {
    worker = worker_of(batch.process());
    return worker.has_value() || !nbs::test::is_running(batch.process());
  });
  if (!worker) return "";
  std::string moment;
  if (below(4) == 0) {
    const int pause = below(900);
    usleep(static_cast<useconds_t>(pause) * 1000);
    moment = std::to_string(pause) + " ms have passed";
  } else {
    // The later ones come once in a run, whose other moments would be missed.
    const auto& wanted = kMoments[below(6) < 4 ? below(3) : 3 + below(2)];
    const int count = wanted.kind == IN_MOVED_TO || wanted.begin[0] == 'p' ? 1 : 1 + below(8);
    Watch watch(worker->folder);
    for (int i = 0; i < count; ++i) {
      if (!watch.wait_for(wanted.kind, wanted.begin, worker->process)) break;
    }
    moment = wanted.what;
  }
  const int victim = below(3);
  moment += victim == 0 ? ": worker" : (victim == 1 ? ": front end" : ": both");
  if (!nbs::test::is_running(batch.process())) return "";
  last = worker->process;
  if (victim != 0) batch.send(SIGKILL);
  if (victim != 1) kill(worker->process, SIGKILL);
  batch.wait();
  return moment;
}

}  // namespace

TEST_CASE("a batch that is killed again and again, at any moment, ends with the same bytes as one that is not") {
  const Program nbs;
  nbs.folder().write("rich.toml", rich());
  nbs.folder().write("patient.toml", patient());
  nbs.folder().write("unet.toml", kUnet);
  auto ended = nbs(with(kBatch, {"--out", "whole", "--set", "train.checkpoint_minutes=0"}));
  INFO(ended.errors);
  REQUIRE(ended.status == 0);

  constexpr int kKills = 32;
  std::mt19937 dice(14);
  std::vector<std::string> moments;
  std::size_t unfinished = 0;  // files that a kill left behind
  pid_t worker = 0;
  while (static_cast<int>(moments.size()) < kKills) {
    const auto moment = killed_once(nbs, dice, worker);
    for (const auto& run : runs_in(nbs.folder() / "killed")) {
      for (const auto& name : nbs::test::entries_of(run))
        unfinished += name.rfind(".nbs-", 0) == 0 ? 1 : 0;
    }
    if (moment.empty()) {
      // All runs are finished: the kills that are left go on with new ones.
      settle(nbs, worker);
      require_three(nbs);
      for (const auto& run : runs_in(nbs.folder() / "killed"))
        check_same(run, nbs.folder() / "whole" / run.filename());
      fs::remove_all(nbs.folder() / "killed");
      continue;
    }
    moments.push_back(moment);
  }
  ended = nbs(with(kBatch, {"--out", "killed"}));
  INFO(ended.output);
  CHECK(ended.status == 0);
  settle(nbs, worker);
  std::string all;
  for (const auto& moment : moments)
    all += moment + "\n";
  MESSAGE(moments.size() << " kills, " << unfinished << " unfinished files:\n" << all);
  require_three(nbs);
  for (const auto& run : runs_in(nbs.folder() / "killed"))
    check_same(run, nbs.folder() / "whole" / run.filename());
  CHECK_FALSE(fs::exists(nbs.folder() / "killed" / ".nbs-lock"));
}

namespace {

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
