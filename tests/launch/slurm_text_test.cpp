// SPDX-License-Identifier: Apache-2.0
// What Slurm prints and reads, as texts of Slurm 22.05 and of its manuals.
#include <doctest/doctest.h>

#include "nbs/launch/slurm.h"

#include "error_text.h"
#include "scratch.h"
#include "variable.h"

using namespace nbs;
using namespace nbs::launch;
using doctest::Contains;

namespace {

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines)
    text += line + "\n";
  return text;
}

std::string shown(const std::vector<slurm::QueueLine>& lines) {
  std::string text;
  for (const auto& line : lines)
    text += line.id + "_" + std::to_string(line.task) + " " + "wre"[static_cast<int>(line.state)] + " " + line.word +
            " " + line.name + "\n";
  return text;
}

}  // namespace

TEST_CASE("slurm: directives") {
  LauncherOptions options;
  const Submission submission = {"0001-night-a1b2c3", "/data/runs/job.sh", "/data/50% done/runs", 40};
  CHECK(joined(slurm::directives(options, submission, true)) ==
        "#SBATCH --job-name=0001-night-a1b2c3\n"
        "#SBATCH --output=\"/data/50%% done/runs/%a.log\"\n"
        "#SBATCH --open-mode=append\n"
        "#SBATCH --requeue\n"
        "#SBATCH --nodes=1\n"
        "#SBATCH --ntasks=1\n"
        "#SBATCH --cpus-per-task=1\n"
        "#SBATCH --array=0-39\n");
  options.partition = "long";
  options.account = "vision";
  options.time = "04:00:00";
  options.memory = "8G";
  options.cpus = 4;
  options.gpus = 2;
  options.throttle = 10;
  options.directives = {"--constraint=avx512|avx2", "--comment=two words", "--exclusive"};
  CHECK(joined(slurm::directives(options, {"n", "/j", "/l", 1}, true)) ==
        "#SBATCH --job-name=n\n"
        "#SBATCH --output=/l/%a.log\n"
        "#SBATCH --open-mode=append\n"
        "#SBATCH --requeue\n"
        "#SBATCH --nodes=1\n"
        "#SBATCH --ntasks=1\n"
        "#SBATCH --cpus-per-task=4\n"
        "#SBATCH --array=0-0%10\n"
        "#SBATCH --partition=long\n"
        "#SBATCH --account=vision\n"
        "#SBATCH --time=04:00:00\n"
        "#SBATCH --mem=8G\n"
        "#SBATCH --gres=gpu:2\n"
        "#SBATCH --constraint=avx512|avx2\n"
        "#SBATCH --comment=\"two words\"\n"
        "#SBATCH --exclusive\n");
  // Where job arrays are turned off.
  const auto single = joined(slurm::directives(LauncherOptions(), {"n", "/j", "/l", 1}, false));
  CHECK(single.find("--array") == std::string::npos);
  CHECK(test::text(single) == Contains("#SBATCH --output=/l/0.log\n"));
}

TEST_CASE("slurm: the job's id") {
  CHECK(slurm::job_id("1234\n") == "1234");
  CHECK(slurm::job_id("1234;big\n") == "1234");
  CHECK(slurm::job_id("welcome to the cluster\n99\n") == "99");
  for (const auto* const wrong : {"", "Submitted batch job 12", "x12", "-3"})
    CHECK(test::error_text([&] { slurm::job_id(wrong); }) == Contains("printed no job id"));
}

TEST_CASE("slurm: the queue") {
  CHECK(shown(slurm::queue_lines("12|0|RUNNING|0001-a-1|None\n12|1|PENDING|0001-a-1|Resources\n"
                                 "12|2|COMPLETING|0001-a-1|None\n7|N/A|PENDING|other|BeginTime\n"
                                 "12|3|TIMEOUT|0001-a-1|TimeLimit\n12|4|NEW_WORD|0001-a-1|None\n"
                                 "13|0|REQUEUE_HOLD|0002-a-1|job requeued in held state\n")) ==
        "12_0 r RUNNING 0001-a-1\n"
        "12_1 w PENDING (Resources) 0001-a-1\n"
        "12_2 r COMPLETING 0001-a-1\n"
        "7_0 w PENDING (BeginTime) other\n"
        "12_3 e TIMEOUT 0001-a-1\n"
        "12_4 w NEW_WORD 0001-a-1\n"
        "13_0 w REQUEUE_HOLD (job requeued in held state) 0002-a-1\n");
  CHECK(slurm::queue_lines("").empty());
  CHECK(test::error_text([] { slurm::queue_lines("slurm_load_jobs error\n"); }) ==
        Contains("squeue printed a line that cannot be read: \"slurm_load_jobs error\""));
  for (const auto* const word : {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE", "FAILED", "NODE_FAIL",
                                 "OUT_OF_MEMORY", "PREEMPTED", "REVOKED", "TIMEOUT"})
    CHECK(slurm::state_of(word) == QueuedTask::State::ended);
  for (const auto* const word : {"PENDING", "CONFIGURING", "SUSPENDED", "REQUEUED", "SPECIAL_EXIT", "STOPPED"})
    CHECK(slurm::state_of(word) == QueuedTask::State::waiting);
}

TEST_CASE("slurm: the accounting") {
  CHECK(shown(slurm::account_lines("31_0|COMPLETED\n31_0.batch|COMPLETED\n31_1|CANCELLED by 1000\n31_2|NODE_FAIL\n"
                                   "31_[3-5,8%2]|PENDING\n32|OUT_OF_MEMORY\nnoise\n")) ==
        "31_0 e COMPLETED \n31_1 e CANCELLED \n31_2 e NODE_FAIL \n31_3 w PENDING \n31_4 w PENDING \n31_5 w PENDING \n"
        "31_8 w PENDING \n32_0 e OUT_OF_MEMORY \n");
}

TEST_CASE("slurm: limits") {
  const std::string config =
      "Configuration data as of 2026-11-28T15:13:52\nAccountingStorageBackupHost = (null)\nClusterName             = "
      "nbs\n"
      "KillWait                = 30 sec\nMaxArraySize            = 1001\nMaxJobCount             = 10000\n\n"
      "Slurmctld(primary) at vm is UP\n";
  CHECK(slurm::config_number(config, "MaxArraySize") == 1001);
  CHECK(slurm::config_word(config, "ClusterName") == "nbs");
  CHECK_FALSE(slurm::config_number(config, "MaxArray").has_value());
  CHECK_FALSE(slurm::config_number(config, "ClusterName").has_value());
  const std::string accounts = "vision||500\nvision|long|200\nother||50\nfree||\n";
  CHECK(slurm::most_submitted(accounts, "vision", "") == 500);
  CHECK(slurm::most_submitted(accounts, "vision", "long") == 200);
  CHECK(slurm::most_submitted(accounts, "", "") == 50);
  CHECK_FALSE(slurm::most_submitted(accounts, "free", "long").has_value());
  CHECK_FALSE(slurm::most_submitted("", "", "").has_value());
}

TEST_CASE("options of a launcher: from a file, with the command line in its place; all that is wrong is said at once") {
  const test::Scratch scratch;
  const auto file = scratch.write("site.toml",
                                  "partition = \"long\"\ncpus = 4\ndirectives = [\"--exclusive\"]\n"
                                  "setup = [\"module load x\"]\n");
  const auto made = [&](const std::vector<std::pair<std::string, std::string>>& flags) {
    return schema_of<LauncherOptions>().make(launcher_options(file, flags));
  };
  const auto plain = made({});
  CHECK(plain.partition == "long");
  CHECK(plain.cpus == 4);
  CHECK(plain.cells_per_task == 1);
  CHECK(plain.directives == std::vector<std::string>{"--exclusive"});
  const auto over = made({{"cpus", "2"}, {"time", "30"}, {"directives", "--a"}, {"directives", "--b"}});
  CHECK(over.cpus == 2);
  CHECK(over.time == "30");  // a text, though it looks like a number
  CHECK(over.partition == "long");
  CHECK(over.directives == std::vector<std::string>{"--a", "--b"});
  const auto wrong = scratch.write("wrong.toml", "partitoin = \"long\"\ncpus = 0\ngpus = \"two\"\n");
  const auto said = test::error_text([&] { launcher_options(wrong, {{"throttle", "many"}}); });
  CHECK(said == Contains("wrong.toml:1:1: the launcher has no option \"partitoin\"; did you mean \"partition\""));
  CHECK(said == Contains("cpus must be at least 1"));
  CHECK(said == Contains("gpus must be of type integer"));
  CHECK(said == Contains("--throttle: throttle must be of type integer"));
  CHECK(test::error_text([&] { launcher_options("", {{"account", "a\nb"}}); }) == Contains("holds a line break"));
  // A place for what is the same every day.
  const test::Variable config("XDG_CONFIG_HOME", scratch.path().string());
  CHECK(usual_launcher_file().empty());
  scratch.write("nbs/launcher.toml", "");
  CHECK(usual_launcher_file() == scratch / "nbs" / "launcher.toml");
}

TEST_CASE("options that a launcher has no use for are refused") {
  const auto problem = [](const std::string& launcher, const LauncherOptions& options) {
    return test::error_text([&] { make_launcher(launcher, options); });
  };
  LauncherOptions options;
  options.status_command = "true";
  CHECK(problem("slurm", options) == Contains("status_command is for the launcher command"));
  options = {};
  options.directives = {"-c 4"};
  CHECK(problem("slurm", options) == Contains("a directive is \"-c 4\""));
  options = {};
  CHECK(problem("command", options) == Contains("needs the option submit_command"));
  options.submit_command = "qsub {script}";
  options.status_command = "qselect";
  options.cancel_command = "qdel";
  CHECK(problem("command", options) == Contains("cancel_command is \"qdel\", but must hold {id}"));
  options.cancel_command = "qdel {id}";
  CHECK(problem("command", options) == "no error");
  options.time = "10";
  CHECK(problem("command", options) == Contains("the launcher's option time is \"10\", but neither"));
  options.directives = {"#PBS -l walltime={time}"};
  CHECK(problem("command", options) == "no error");
  options.submit_command = "qsub -A {account} {script}";
  CHECK(problem("command", options) == Contains("holds {account}, but the option account is not set"));
  options.account = "a";
  options.throttle = 3;
  CHECK(problem("command", options) == Contains("cannot throttle"));
  CHECK(problem("pbs", {}) == Contains("choose local, slurm or command"));
}
