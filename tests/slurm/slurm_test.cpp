// SPDX-License-Identifier: Apache-2.0
// nbs batch --launcher slurm with a real Slurm that the test starts on this machine. Its worker is a stub, so that the
// test says when a run ends; what a real one does when it is cut off is the subject of tests/cli/resume_test.cpp.
#include <algorithm>
#include <optional>
#include <sstream>

#include <doctest/doctest.h>

#include "cluster.h"
#include "error_text.h"
#include "tiny_pipeline.h"
#include "variable.h"

namespace {

namespace fs = std::filesystem;
using doctest::Contains;
using nbs::test::Cluster;
using nbs::test::Scratch;
using nbs::test::shell;
using nbs::test::text;
using nbs::test::wait_until;

Cluster* cluster() {
  static Cluster made;
  static bool said = false;
  if (!made.problem().empty()) {
    if (!said) MESSAGE("skipped: no Slurm cluster can be started here: " << made.problem());
    said = true;
    return nullptr;
  }
  return &made;
}

// Counts tenths of a second in metrics.jsonl until the file "end" is there, and keeps its count as a checkpoint when it
// is told to end. It notes each start in starts.txt: the run, the node, and where it went on.
class Batch {
 public:
  explicit Batch(int runs) {
    std::string seeds;
    for (int i = 0; i < runs; ++i)
      seeds += (i > 0 ? ", " : "") + std::to_string(i);
    nbs::test::TinyOptions tiny;
    tiny.train = "iterations = 40\npatches = 8\nreinit_every = 0";
    folder_.write("sweep.toml", nbs::test::tiny_pipeline(tiny) + "[sweep.grid]\nseed = [" + seeds + "]\n");
    provenance();
    const auto base = folder_.path().string();
    const auto worker = folder_.write(
        "worker.sh", "#!/bin/bash\n[ \"$1\" = run ] || exec " NBS_REAL_WORKER
                     " \"$@\"\nout=$4; n=0\n"
                     "case \"$*\" in *--resume*) n=$(cat \"$out/checkpoint.nbs\");; esac\n"
                     "cp " +
                         provenance().string() +
                         " \"$out/provenance.json\"\n"
                         "echo \"$(basename \"$out\") $SLURMD_NODENAME $n\" >> " +
                         base +
                         "/starts.txt\n"
                         "trap 'echo $n > \"$out/checkpoint.nbs\"; echo \"{\\\"ending\\\": \\\"interrupted\\\"}\" > "
                         "\"$out/result.json\"; exit 130' TERM\n"
                         "until [ -e " +
                         base +
                         "/end ]; do sleep 0.1; n=$((n+1)); echo \"{\\\"iteration\\\":$n}\" >> "
                         "\"$out/metrics.jsonl\"; [ ! -e " +
                         base +
                         "/keep ] || echo $n > \"$out/checkpoint.nbs\"; done\n"
                         "rm -f \"$out/checkpoint.nbs\"; echo '{\"ending\": \"finished\"}' > \"$out/result.json\"\n");
    fs::permissions(worker, fs::perms::owner_all);
    worker_.emplace("NBS_WORKER", worker.string());
    cache_.emplace("XDG_CACHE_HOME", cache().string());
    config_.emplace("XDG_CONFIG_HOME", (folder_ / "config").string());
  }
  ~Batch() { (*this)("batch --cancel"); }

  std::string operator()(const std::string& words) const {
    return shell("cd '" + folder_.path().string() + "' && '" NBS_PROGRAM "' " + words + "; echo status $?");
  }
  std::string submit(const std::string& more = "") const {
    return (*this)("batch sweep.toml --launcher slurm " + more);
  }
  std::string status() const { return (*this)("batch --status"); }
  void end() const { folder_.write("end", ""); }
  // Each has its last count as a checkpoint at any time.
  void keep_checkpoints() const { folder_.write("keep", ""); }
  std::vector<std::string> starts() const { return nbs::test::lines_of(folder_ / "starts.txt"); }
  bool wait_for_starts(std::size_t count, double seconds = 40) const {
    return wait_until([&] { return usleep(100000), starts().size() >= count; }, seconds);
  }
  bool wait_for(const std::string& standing, double seconds = 40) const {
    return wait_until([&] { return status().find(standing) != std::string::npos; }, seconds);
  }
  std::string logs() const { return shell("cat '" + folder_.path().string() + "'/runs/.nbs-jobs/*/*.log"); }

 private:
  static fs::path cache() {
    static const Scratch scratch;
    return scratch.path();
  }
  // With which plugins a run here was made: of a real run, once.
  static fs::path provenance() {
    static const Scratch scratch;
    const auto file = scratch / "run" / "provenance.json";
    if (fs::exists(file)) return file;
    scratch.write("tiny.toml", nbs::test::tiny_pipeline());
    shell("cd '" + scratch.path().string() + "' && XDG_CACHE_HOME='" + cache().string() +
          "' '" NBS_PROGRAM "' run tiny.toml --run-dir run");
    REQUIRE(fs::exists(file));
    return file;
  }

  Scratch folder_;
  std::optional<nbs::test::Variable> worker_;
  std::optional<nbs::test::Variable> cache_;
  std::optional<nbs::test::Variable> config_;
};

// "NAME NODE COUNT" in parts.
std::string part(const std::string& line, int number) {
  std::istringstream words(line);
  std::string word;
  for (int i = 0; i <= number; ++i)
    words >> word;
  return word;
}

}  // namespace

TEST_CASE("slurm: a sweep is submitted as arrays, once; its results are in the folders of its runs") {
  if (cluster() == nullptr) return;
  const Batch batch(8);
  // Two to a task, and three tasks at most to an array.
  auto said = batch.submit("--cells-per-task 2 --cpus 1 --time 10 --memory 100M --directives=--comment=test");
  CHECK(text(said) == Contains(": 3 tasks, 6 runs"));
  CHECK(text(said) == Contains(": 1 tasks, 2 runs"));
  CHECK(text(said) ==
        Contains("of 8 runs 0 are finished, 0 run elsewhere, 0 were in the queue before, 8 were submitted"));
  CHECK(text(said) == Contains("status 0\n"));
  REQUIRE(batch.wait_for_starts(4));  // four cores
  CHECK(text(batch.status()) == Contains("4 running, 4 queued\n"));
  CHECK(text(batch.status()) == Contains(": RUNNING\n"));
  CHECK(text(batch.submit()) == Contains("8 were in the queue before, 0 were submitted"));
  batch.end();
  CHECK(batch.wait_for("in runs: 8 finished\n"));
  INFO(batch.logs());
  CHECK(batch.starts().size() == 8);
  said = batch.submit();
  CHECK(text(said) ==
        Contains("of 8 runs 8 are finished, 0 run elsewhere, 0 were in the queue before, 0 were submitted"));
  CHECK(text(said) == Contains("report: runs/index.html"));
  CHECK(text(said) == Contains("status 0\n"));
}

namespace {

// Slurm waits for two minutes before it starts a job that was requeued.
void start_requeued_now() {
  shell(
      "for id in $(squeue --noheader --states=PENDING --partition=low --format=%A); do scontrol update jobid=$id "
      "starttime=now; done");
}

}  // namespace

TEST_CASE("slurm: a preempted task is requeued, and its run goes on from its checkpoint") {
  if (cluster() == nullptr) return;
  const Batch batch(1);
  batch.submit("--partition low");
  REQUIRE(batch.wait_for_starts(1));
  usleep(500000);
  shell("sbatch --partition=high --nodes=2 --exclusive --output=/dev/null --wrap 'sleep 2'");
  REQUIRE(batch.wait_for("1 queued\n"));
  CHECK(text(batch.submit()) == Contains("1 were in the queue before, 0 were submitted"));
  start_requeued_now();
  REQUIRE(batch.wait_for_starts(2));
  const auto starts = batch.starts();
  CHECK(part(starts[1], 0) == part(starts[0], 0));
  CHECK(std::stoi(part(starts[0], 2)) == 0);
  CHECK(std::stoi(part(starts[1], 2)) > 0);
  batch.end();
  CHECK(batch.wait_for("in runs: 1 finished\n"));
}

TEST_CASE("slurm: a node dies under a run, which is done again on another node from its last checkpoint") {
  if (cluster() == nullptr) return;
  const Batch batch(1);
  batch.keep_checkpoints();
  batch.submit();
  REQUIRE(batch.wait_for_starts(1));
  usleep(500000);
  const auto node = part(batch.starts()[0], 1);
  cluster()->kill_node(node);
  // Nobody knows yet: to the queue it still runs, so it is not submitted again.
  CHECK(text(batch.submit()) == Contains("1 were in the queue before, 0 were submitted"));
  REQUIRE(batch.wait_for("1 queued\n"));
  start_requeued_now();
  REQUIRE(batch.wait_for_starts(2));
  const auto starts = batch.starts();
  CHECK(part(starts[1], 0) == part(starts[0], 0));
  CHECK(part(starts[1], 1) != node);
  CHECK(std::stoi(part(starts[1], 2)) > 0);
  batch.end();
  CHECK(batch.wait_for("in runs: 1 finished\n"));
  cluster()->start_node(node);
}

TEST_CASE("slurm: while the controller is away nothing is submitted; when it is back, runs go on as if nothing were") {
  if (cluster() == nullptr) return;
  const Batch batch(2);
  batch.submit("--cells-per-task 2");
  REQUIRE(batch.wait_for_starts(1));
  // The controller writes its list of jobs some seconds after it has changed; killed before, it has never heard of
  // them.
  usleep(7000000);
  cluster()->kill_controller();
  const auto said = batch.submit();
  CHECK(text(said) == Contains("squeue --noheader"));
  CHECK(text(said) == Contains("Unable to contact slurm controller"));
  CHECK(text(said) == Contains("status 1\n"));
  CHECK(text(batch.status()) == Contains("status 1\n"));
  cluster()->start_controller();
  // A controller that has just come back knows of no jobs for a moment.
  REQUIRE(batch.wait_for("1 running, 1 queued"));
  CHECK(text(batch.submit()) == Contains("2 were in the queue before, 0 were submitted"));
  batch.end();
  CHECK(batch.wait_for("in runs: 2 finished\n"));
  CHECK(batch.starts().size() == 2);
}

TEST_CASE("slurm: cancel ends what runs, which writes a checkpoint, and what waits; the same command goes on") {
  if (cluster() == nullptr) return;
  const Batch batch(5);
  batch.submit("--throttle 1");
  REQUIRE(batch.wait_for_starts(2));  // two arrays
  usleep(500000);
  CHECK(text(batch.status()) == Contains("2 running, 3 queued\n"));
  const auto said = batch("batch --cancel");
  CHECK(std::count(said.begin(), said.end(), '\n') == 3);  // a line for each array, and the status
  REQUIRE(batch.wait_for("2 cut off, 3 to do\n"));
  batch.end();
  CHECK(text(batch.submit()) == Contains("0 were in the queue before, 5 were submitted"));
  CHECK(batch.wait_for("in runs: 5 finished\n"));
  std::size_t resumed = 0;
  for (const auto& line : batch.starts())
    resumed += part(line, 2) != "0" ? 1 : 0;
  CHECK(resumed == 2);
  CHECK(batch.starts().size() == 7);
}
