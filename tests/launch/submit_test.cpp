// SPDX-License-Identifier: Apache-2.0
// Batches that are handed to a queue, with commands that stand for Slurm's and can do what a real one will not do at
// will. tests/slurm has the real one.
#include <algorithm>

#include <doctest/doctest.h>

#include "nbs/launch/claim.h"
#include "nbs/launch/front_end.h"
#include "nbs/launch/standing.h"
#include "nbs/launch/submissions.h"

#include "error_text.h"
#include "messages.h"
#include "run_environment.h"

using namespace nbs;
using namespace nbs::launch;
using doctest::Contains;

namespace {

namespace fs = std::filesystem;

// sbatch, squeue and the others as scripts in a folder that comes first on PATH. Each command's words are noted in
// calls.txt. A submission becomes lines of queue.txt: `id|task|PENDING|name|None`.
class FakeSlurm {
 public:
  explicit FakeSlurm(const test::Scratch& scratch)
      : scratch_(scratch), path_("PATH", (scratch / "bin").string() + ":" + std::getenv("PATH")) {
    const auto base = scratch.path().string();
    command("sbatch",
            "if [ -e " + base + "/full ]; then echo 'sbatch: error: QOSMaxSubmitJobPerUserLimit' >&2; exit 1; fi\n" +
                "id=$(( $(ls " + base + "/accepted 2>/dev/null | wc -l) + 100 ))\nmkdir -p " + base +
                "/accepted && cp \"$2\" " + base + "/accepted/$id.sh\n" +
                "name=$(sed -n 's/^#SBATCH --job-name=//p' \"$2\")\n" +
                "last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' \"$2\")\n" +
                "for task in $(seq 0 ${last:-0}); do echo \"$id|$task|PENDING|$name|None\" >> " + base +
                "/queue.txt; done\n" + "[ ! -e " + base + "/dies ] || kill -KILL $PPID\n" + "echo \"$id;cluster\"");
    command("squeue", "if [ -e " + base +
                          "/down ]; then echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1; "
                          "fi\ncat " +
                          base + "/queue.txt 2>/dev/null || true");
    command("scontrol", "echo 'ClusterName             = nbs'; echo \"MaxArraySize            = $(cat " + base +
                            "/max_array 2>/dev/null || echo 1001)\"");
    command("sacctmgr", "cat " + base + "/associations 2>/dev/null || exit 1");
    command("sacct", "cat " + base + "/accounting 2>/dev/null || exit 1");
    command("scancel", "exit 0");
  }

  void set(const std::string& file, const std::string& text) const { scratch_.write(file, text); }
  void remove(const std::string& file) const { fs::remove(scratch_ / file); }
  std::vector<std::string> calls(const std::string& of) const {
    std::vector<std::string> found;
    for (const auto& line : test::lines_of(scratch_ / "calls.txt")) {
      if (line.rfind(of + " ", 0) == 0) found.push_back(line);
    }
    return found;
  }
  // The queue with another state for the tasks whose line begins so.
  void change(const std::string& begin, const std::string& state) const {
    std::string text;
    for (auto line : test::lines_of(scratch_ / "queue.txt")) {
      if (line.rfind(begin, 0) == 0) {
        if (state.empty()) continue;
        line.replace(line.find("|PENDING"), 8, "|" + state);
      }
      text += line + "\n";
    }
    set("queue.txt", text);
  }

 private:
  void command(const std::string& name, const std::string& script) const {
    const auto file = scratch_.write("bin/" + name, "#!/bin/sh\necho \"" + name + " $*\" >> " +
                                                        (scratch_ / "calls.txt").string() + "\n" + script + "\n");
    fs::permissions(file, fs::perms::owner_all);
  }

  const test::Scratch& scratch_;
  test::Variable path_;
};

std::vector<Job> seeds(int count) {
  std::vector<Job> jobs(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    jobs[static_cast<std::size_t>(i)].pipeline = test::small_pipeline("a", i);
  return jobs;
}

SubmitOptions with(const std::vector<std::pair<std::string, std::string>>& flags = {}) {
  SubmitOptions options;
  options.launcher = "slurm";
  options.options = launcher_options("", flags);
  return options;
}

std::string counts(const SubmitEnd& end) {
  return std::to_string(end.finished) + " finished " + std::to_string(end.running) + " running " +
         std::to_string(end.queued) + " queued " + std::to_string(end.submitted) + " submitted " +
         std::to_string(end.left) + " left";
}

void finish(const fs::path& folder) {
  nbs::write_file(folder / "result.json", "{\"ending\": \"finished\"}");
}

std::string states(const fs::path& parent) {
  std::string text;
  for (const auto& run : standings(parent))
    text += std::string(standing_name(run.state)) + (run.queue.empty() ? "" : " [" + run.queue + "]") + "\n";
  return text;
}

// A submission's folder.
fs::path only_submission(const fs::path& parent) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(submissions_folder(parent)))
    if (entry.is_directory()) found.push_back(entry.path());
  REQUIRE(found.size() == 1);
  return found.front();
}

}  // namespace

TEST_CASE("a batch is submitted once; later only what is missing, and not what waits or runs") {
  const test::Scratch scratch;
  const FakeSlurm slurm(scratch);
  const auto parent = scratch / "runs";
  const auto jobs = seeds(7);
  auto end = submit_batch(jobs, parent, with({{"cells_per_task", "2"}, {"cpus", "3"}}));
  CHECK(counts(end) == "0 finished 0 running 0 queued 7 submitted 0 left");
  REQUIRE(end.lines.size() == 1);
  CHECK(test::text(end.lines[0]) == Contains("submitted slurm 100: 4 tasks, 7 runs -> "));
  const auto folder = only_submission(parent);
  CHECK(nbs::read_file(folder / "id") == "100\n");
  // Every run is in one task, and its folder is there with its pipeline.
  std::vector<std::string> all;
  for (std::size_t task = 0; task < 4; ++task) {
    for (const auto& name : cells_of_task(folder, task)) {
      all.push_back(name);
      CHECK(record::RunDirectory(parent / name).holds_run());
    }
  }
  std::sort(all.begin(), all.end());
  CHECK(all.size() == 7);
  CHECK(std::unique(all.begin(), all.end()) == all.end());
  CHECK(test::error_text([&] { cells_of_task(folder, 4); }) == Contains("has the tasks 0 to 3, but task 4"));
  const auto script = nbs::read_file(folder / "job.sh");
  CHECK(test::text(script) == Contains("#SBATCH --array=0-3\n"));
  CHECK(test::text(script) == Contains(("task '" + folder.string() +
                                        "' \"${SLURM_ARRAY_TASK_ID:-0}\" --jobs 1 "
                                        "--cores 3 --retry 0 --timeout 0\n")
                                           .c_str()));

  CHECK(counts(submit_batch(jobs, parent, with())) == "0 finished 0 running 7 queued 0 submitted 0 left");
  // One task ends well, one with a failed run, one is killed by its time limit; the last still waits.
  slurm.change("100|0", "COMPLETED");
  slurm.change("100|1", "");
  slurm.change("100|2", "TIMEOUT");
  for (const auto& name : cells_of_task(folder, 0))
    finish(parent / name);
  finish(parent / cells_of_task(folder, 1)[0]);
  nbs::write_file(record::RunDirectory(parent / cells_of_task(folder, 1)[1]).log(), "no\n");
  nbs::write_file(record::RunDirectory(parent / cells_of_task(folder, 2)[0]).checkpoint(), "x");
  const auto standing = states(parent);
  CHECK(std::count(standing.begin(), standing.end(), '\n') == 7);
  CHECK(test::text(standing) == Contains("cut off [slurm 100_2: TIMEOUT]\n"));
  CHECK(test::text(standing) == Contains("failed\n"));
  CHECK(test::text(standing) == Contains("to do [slurm 100_2: TIMEOUT]\n"));
  CHECK(test::text(standing) == Contains("queued [slurm 100_3: PENDING]\n"));
  end = submit_batch(jobs, parent, with());
  CHECK(counts(end) == "3 finished 0 running 1 queued 3 submitted 0 left");
  CHECK(test::text(end.lines.at(0)) == Contains("slurm 101: 3 tasks, 3 runs"));
  CHECK_FALSE(fs::exists(folder / "ended"));  // its last task waits
  slurm.change("100|3", "RUNNING");
  // Not before it has begun it.
  CHECK(test::text(states(parent)) == Contains("queued [slurm 100_3: RUNNING]\n"));
  nbs::write_file(record::RunDirectory(parent / cells_of_task(folder, 3)[0]).log(), "");
  CHECK(test::text(states(parent)) == Contains("running [slurm 100_3: RUNNING]\n"));
  slurm.set("queue.txt", "");
  slurm.set("accounting", "100_3|NODE_FAIL\n101_0|OUT_OF_MEMORY\n101_[1-2]|PENDING\n");
  CHECK(test::text(states(parent)) == Contains("failed [slurm 100_3: NODE_FAIL]\n"));
  CHECK(test::text(states(parent)) == Contains("[slurm 101_0: OUT_OF_MEMORY]\n"));
  CHECK(counts(submit_batch(jobs, parent, with())) == "3 finished 0 running 0 queued 4 submitted 0 left");
  CHECK(fs::exists(folder / "ended"));
}

TEST_CASE("arrays are divided by MaxArraySize, and no more is submitted than MaxSubmitJobs leaves") {
  const test::Scratch scratch;
  const FakeSlurm slurm(scratch);
  const auto parent = scratch / "runs";
  slurm.set("max_array", "4");
  slurm.set("associations", "vision||9\nvision|long|6\nother||1\n");
  const auto jobs = seeds(13);
  const auto options = with({{"account", "vision"}});
  auto end = submit_batch(jobs, parent, options);
  CHECK(counts(end) == "0 finished 0 running 0 queued 9 submitted 4 left");
  CHECK(end.lines.size() == 3);  // 4, 4 and 1
  CHECK(end.problem.empty());
  CHECK(test::text(nbs::read_file(scratch / "accepted" / "102.sh")) == Contains("--array=0-0\n"));
  CHECK(counts(submit_batch(jobs, parent, options)) == "0 finished 0 running 9 queued 0 submitted 4 left");
  // What somebody else's folder has in the queue counts, what has ended does not.
  slurm.change("100|", "COMPLETED");
  slurm.set("queue.txt", nbs::read_file(scratch / "queue.txt") + "55|0|RUNNING|mine|None\n");
  end = submit_batch(jobs, parent, options);
  CHECK(counts(end) == "0 finished 0 running 5 queued 3 submitted 5 left");
  // Job arrays may be turned off.
  slurm.set("max_array", "0");
  slurm.remove("associations");
  end = submit_batch(jobs, parent, options);
  CHECK(counts(end) == "0 finished 0 running 8 queued 5 submitted 0 left");
  CHECK(end.lines.size() == 5);
  CHECK(nbs::read_file(scratch / "accepted" / "105.sh").find("--array") == std::string::npos);
}

TEST_CASE("a queue that cannot be asked or takes nothing: nothing is submitted twice, and a sentence says why") {
  const test::Scratch scratch;
  const FakeSlurm slurm(scratch);
  const auto parent = scratch / "runs";
  const auto jobs = seeds(3);
  slurm.set("full", "");
  auto end = submit_batch(jobs, parent, with());
  CHECK(counts(end) == "0 finished 0 running 0 queued 0 submitted 3 left");
  CHECK(test::text(end.problem) == Contains("failed (status 1): sbatch: error: QOSMaxSubmitJobPerUserLimit"));
  CHECK(open_submissions(parent).empty());
  slurm.remove("full");
  CHECK(counts(submit_batch(jobs, parent, with())) == "0 finished 0 running 0 queued 3 submitted 0 left");
  slurm.set("down", "");
  for (const auto& action : std::vector<std::function<void()>>{[&] { submit_batch(jobs, parent, with()); },
                                                               [&] { standings(parent); }, [&] { cancel_all(parent); }})
    CHECK(test::error_text(action) == Contains("Unable to contact slurm controller"));
  CHECK(slurm.calls("sbatch").size() == 2);
  slurm.remove("down");
  CHECK(counts(submit_batch(jobs, parent, with())) == "0 finished 0 running 3 queued 0 submitted 0 left");
  // Without Slurm's commands at all.
  const test::Variable path("PATH", "/nowhere");
  CHECK(test::error_text([&] { submit_batch(jobs, parent, with()); }) ==
        Contains("squeue cannot be started: No such file or directory"));
}

TEST_CASE("what was submitted is found again by its name if nbs was killed before it noted the id") {
  const test::Scratch scratch;
  const FakeSlurm slurm(scratch);
  const auto parent = scratch / "runs";
  const auto jobs = seeds(3);
  submit_batch(jobs, parent, with());
  const auto folder = only_submission(parent);
  fs::remove(folder / "id");
  CHECK(counts(submit_batch(jobs, parent, with())) == "0 finished 0 running 3 queued 0 submitted 0 left");
  CHECK(nbs::read_file(folder / "id") == "100\n");
  // Killed before it was submitted: the queue knows nothing of it.
  fs::remove(folder / "id");
  slurm.set("queue.txt", "");
  CHECK(counts(submit_batch(jobs, parent, with())) == "0 finished 0 running 0 queued 3 submitted 0 left");
}

TEST_CASE("what somebody works on is not submitted, and two do not submit at the same time") {
  const test::Scratch scratch;
  const FakeSlurm slurm(scratch);
  const auto parent = scratch / "runs";
  const auto jobs = seeds(2);
  {
    const auto held = claim_run(parent, jobs[0].pipeline);
    CHECK(counts(submit_batch(jobs, parent, with())) == "0 finished 1 running 0 queued 1 submitted 0 left");
    CHECK(test::text(states(parent)) == Contains("running\n"));
  }
  const auto lock = FileLock::try_take(submissions_folder(parent) / ".lock");
  CHECK(test::error_text([&] { submit_batch(jobs, parent, with()); }) == Contains("another process submits runs of"));
}

TEST_CASE("cancel ends what is in the queue, and the nbs batch on this machine") {
  const test::Scratch scratch;
  const FakeSlurm slurm(scratch);
  const auto parent = scratch / "runs";
  submit_batch(seeds(2), parent, with());
  slurm.set("queue.txt", nbs::read_file(scratch / "queue.txt") + "7|0|RUNNING|mine|None\n");
  auto lines = cancel_all(parent);
  REQUIRE(lines.size() == 1);
  CHECK(test::text(lines[0]) == Contains("slurm 100 (0001-runs-"));
  REQUIRE(slurm.calls("scancel").size() == 1);
  CHECK(slurm.calls("scancel")[0] == "scancel 100");
  slurm.set("queue.txt", "");
  CHECK(cancel_all(parent).empty());

  // A mark of a process that is gone, and one of another machine.
  scratch.write("runs/.nbs-batch-" + host_name() + "-999999", "");
  CHECK(front_ends(parent).empty());
  CHECK_FALSE(fs::exists(parent / (".nbs-batch-" + host_name() + "-999999")));
  const auto far = FileLock::try_take(parent / ".nbs-batch-far-away-12");
  lines = cancel_all(parent);
  REQUIRE(lines.size() == 1);
  CHECK(test::text(lines[0]) == Contains("process 12 on far-away: runs on another machine"));
}

TEST_CASE("any queue: tasks are submitted one by one with a line of shell") {
  const test::Scratch scratch;
  const auto parent = scratch / "the runs";
  const auto base = scratch.path().string();
  const auto file = scratch.write("site.toml",
                                  "cpus = 2\ntime = \"10:00\"\n"
                                  "submit_command = \"cp {script} " +
                                      base + "/copy.sh; echo x >> " + base + "/jobs; echo \\\"Job <$(wc -l < " + base +
                                      "/jobs).pbs> of {cpus}\\\"\"\n" + "status_command = \"cat " + base +
                                      "/waiting 2>/dev/null; true\"\n" + "cancel_command = \"echo {id} >> " + base +
                                      "/cancelled\"\n" +
                                      "directives = [\"#PBS -l walltime={time}\"]\nsetup = [\"export A='b c'\"]\n");
  SubmitOptions options;
  options.launcher = "command";
  options.options = launcher_options(file, {});
  options.batch.retries = 2;
  options.batch.minutes = 1.5;
  const auto jobs = seeds(3);
  auto end = submit_batch(jobs, parent, options);
  CHECK(counts(end) == "0 finished 0 running 0 queued 3 submitted 0 left");
  CHECK(end.lines.size() == 3);
  const auto script = nbs::read_file(scratch / "copy.sh");
  CHECK(test::text(script) == Contains("#!/bin/sh\n#PBS -l walltime=10:00\n"));
  CHECK(test::text(script) == Contains("\nexport A='b c'\nexec '"));
  CHECK(test::text(script) == Contains("' 0 --jobs 1 --cores 2 --retry 2 --timeout 1.5\n"));
  scratch.write("waiting", "1.pbs, 3.pbs\n17.pbs\n");
  CHECK(counts(submit_batch(jobs, parent, options)) == "0 finished 0 running 2 queued 1 submitted 0 left");
  scratch.write("waiting", "4.pbs\n1.pbs\n");
  CHECK(cancel_all(parent).size() == 2);
  CHECK(nbs::read_file(scratch / "cancelled") == "1.pbs\n4.pbs\n");
}
