// SPDX-License-Identifier: Apache-2.0
// A batch whose processes are killed at any moment ends with the same bytes as one that is left alone.
#include <csignal>
#include <optional>
#include <random>
#include <sstream>

#include <doctest/doctest.h>
#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "nbs/base/files.h"

#include "background.h"
#include "program.h"
#include "resumed_runs.h"
#include "tiny_pipeline.h"

namespace {

namespace fs = std::filesystem;
using nbs::test::Background;
using nbs::test::Program;
using nbs::test::runs_in;
using nbs::test::with;
using nbs::test::Words;

std::string patient() {
  nbs::test::TinyOptions tiny;
  tiny.top = "name = \"patient\"";
  tiny.sampler = "plugin = \"heuristic\"";
  tiny.train = "iterations = 40\npatches = 8\nreinit_every = 0\npatience = 12\nmembers = 2";
  return nbs::test::tiny_pipeline(tiny);
}

constexpr const char* kUnet =
    "name = \"unet\"\n[data]\nimage_size = 32\nlabeled = 2\ncount = 6\n[buffer]\nbatch = 2\ncrop = 16\n"
    "[predictor]\nplugin = \"unet\"\ndepth = 2\nwidth = 4\n[train]\niterations = 20\nstudent_iterations = 20\nthreads "
    "= 1\n";

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

const Words kBatch = {"batch", "rich.toml", "patient.toml", "unet.toml"};

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
  Background batch(words, nbs.folder().path(), nbs::test::environment(nbs));
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
  nbs.folder().write("rich.toml", nbs::test::rich());
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
        nbs::test::check_same(run, nbs.folder() / "whole" / run.filename());
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
    nbs::test::check_same(run, nbs.folder() / "whole" / run.filename());
  CHECK_FALSE(fs::exists(nbs.folder() / "killed" / ".nbs-lock"));
}
