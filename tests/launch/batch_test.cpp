// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/batch.h"

#include <algorithm>
#include <csignal>
#include <stdexcept>

#include <doctest/doctest.h>

#include "nbs/launch/claim.h"
#include "nbs/record/run_directory.h"

#include "error_text.h"
#include "messages.h"
#include "run_environment.h"

using namespace nbs;
using State = launch::Job::State;
using launch::Job;

namespace {

// The worker's arguments are: run FOLDER/resolved.toml --out FOLDER --progress lines [--threads N]. It notes them,
// fails for pipelines named "bad" unless the file "repaired" is there, and otherwise writes a result.
std::string training_script(const test::Scratch& scratch) {
  const std::string base = scratch.path().string();
  return "echo \"$@\" >> " + base + "/calls.txt\n" +  //
         "echo \"training $4\" >&2\n" + "if grep -q 'name = \"bad\"' \"$2\" && [ ! -e " + base +
         "/repaired ]; then exit 3; fi\n" + "echo '{\"ending\": \"finished\"}' > \"$4/result.json\"";
}

// On however few cores the test is done.
launch::BatchOptions at_a_time(int parallel) {
  launch::BatchOptions options;
  options.parallel = parallel;
  options.cores = 16;
  return options;
}

std::vector<Job> jobs_named(const std::vector<std::string>& names) {
  std::vector<Job> jobs;
  for (const auto& name : names) {
    Job job;
    job.label = name;
    job.pipeline = test::small_pipeline(name);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::string states(const std::vector<Job>& jobs) {
  std::string text;
  for (const auto& job : jobs)
    text += "wsrdfiea"[static_cast<int>(job.state)];
  return text;
}

}  // namespace

TEST_CASE("a batch runs every job in a folder of its own; a failure stops no other; running it again does the rest") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, training_script(scratch));
  const auto parent = scratch / "runs";
  const auto calls = [&] { return test::lines_of(scratch / "calls.txt").size(); };
  for (const int parallel : {1, 3}) {
    CAPTURE(parallel);
    std::filesystem::remove_all(parent);
    std::filesystem::remove(scratch / "calls.txt");
    std::filesystem::remove(scratch / "repaired");
    auto jobs = jobs_named({"a", "bad", "b", "c"});
    std::vector<std::string> told;
    launch::run_batch(jobs, parent, at_a_time(parallel),
                      {[&](const Job& job) { told.push_back(job.label + "wsrdfiea"[static_cast<int>(job.state)]); }});
    CHECK(states(jobs) == "dfdd");
    CHECK(jobs[1].status == 3);
    CHECK(calls() == 4);
    CHECK(test::entries_of(parent).size() == 4);
    std::sort(told.begin(), told.end());
    CHECK(told == std::vector<std::string>{"ad", "ar", "badf", "badr", "bd", "br", "cd", "cr"});
    const auto message = [](const Job& job) { return "training " + job.folder.string() + "\n"; };
    for (const auto& job : jobs)
      CHECK(nbs::read_file(job.folder / "log.txt") == message(job));

    scratch.write("repaired", "");
    auto again = jobs_named({"a", "bad", "b", "c", "d"});
    launch::run_batch(again, parent, at_a_time(parallel), {[](const Job&) {}});
    CHECK(states(again) == "sdssd");
    CHECK(calls() == 6);
    CHECK(again[0].folder == jobs[0].folder);
    // What left no result begins again in its folder, and the messages of the first time are kept.
    CHECK(again[1].folder == jobs[1].folder);
    CHECK(nbs::read_file(again[1].folder / "log.txt") == message(again[1]) + message(again[1]));
  }
}

TEST_CASE("never more run at once than was said, and as many as that") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "sleep 0.1; echo '{\"ending\": \"finished\"}' > \"$4/result.json\"");
  auto jobs = jobs_named({"a", "b", "c", "d", "e"});
  int running = 0;
  int most = 0;
  launch::run_batch(jobs, scratch / "runs", at_a_time(2), {[&](const Job& job) {
                      running += job.state == State::running ? 1 : -1;
                      most = std::max(most, running);
                    }});
  CHECK(running == 0);
  CHECK(most == 2);
  CHECK(states(jobs) == "ddddd");
}

TEST_CASE("a worker that a signal ends has failed, and the job says which") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "kill -KILL $$");
  auto jobs = jobs_named({"a"});
  launch::run_batch(jobs, scratch / "runs", at_a_time(1), {[](const Job&) {}});
  CHECK(states(jobs) == "f");
  CHECK(jobs[0].status == 137);
  CHECK(test::text(jobs[0].problem) == doctest::Contains("ended by SIGKILL"));
}

TEST_CASE("a worker that ends well without a finished result has failed") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "exit 0");
  auto jobs = jobs_named({"a"});
  launch::run_batch(jobs, scratch / "runs", at_a_time(1), {[](const Job&) {}});
  CHECK(states(jobs) == "f");
  CHECK(test::text(jobs[0].problem) == doctest::Contains("left no finished result"));
}

TEST_CASE("a worker that fails after it wrote a finished result is done, with its status, and is not repeated") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "echo '{\"ending\": \"finished\"}' > \"$4/result.json\"; exit 1");
  auto jobs = jobs_named({"a"});
  launch::run_batch(jobs, scratch / "runs", at_a_time(1), {[](const Job&) {}});
  CHECK(states(jobs) == "d");
  CHECK(jobs[0].status == 1);
  auto again = jobs_named({"a"});
  launch::run_batch(again, scratch / "runs", at_a_time(1), {[](const Job&) {}});
  CHECK(states(again) == "s");
}

TEST_CASE("what the callback throws ends neither the batch nor a run") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "sleep 0.1; echo '{\"ending\": \"finished\"}' > \"$4/result.json\"");
  auto jobs = jobs_named({"a", "b", "c"});
  launch::BatchEnd end;
  const auto said = test::messages_of([&] {
    end = launch::run_batch(jobs, scratch / "runs", at_a_time(2), {[](const Job& job) {
                              if (job.state == State::running && job.label == "b") throw 3;
                              if (job.state == State::done) throw std::runtime_error("no report");
                            }});
  });
  CHECK(states(jobs) == "ddd");
  CHECK(end.problems == 4);
  CHECK(end.stop_signal == 0);
  CHECK(test::text(said) == doctest::Contains("nbs: c: no report; the batch goes on\n"));
}

TEST_CASE("told to stop, a batch starts no more, waits for those that run, and says so") {
  const test::Scratch scratch;
  // The first is finished when the second interrupts the batch; it and the third end as a worker does.
  const test::FakeWorker worker(scratch,
                                "if grep -q '\"a\"' \"$2\"; then echo '{\"ending\": \"finished\"}' > "
                                "\"$4/result.json\"; exit 0; fi\n"
                                "trap 'echo \"{\\\"ending\\\": \\\"interrupted\\\"}\" > \"$4/result.json\"; "
                                "exit 130' INT\n"
                                "if grep -q '\"c\"' \"$2\"; then kill -INT $PPID; fi\n"
                                "while :; do sleep 0.05; done");
  auto jobs = jobs_named({"a", "b", "c", "d", "e"});
  const auto end = launch::run_batch(jobs, scratch / "runs", at_a_time(2), {[](const Job&) {}});
  CHECK(end.stop_signal == SIGINT);
  CHECK(states(jobs) == "diiww");
  CHECK_FALSE(record::RunDirectory(jobs[1].folder).is_finished());
  CHECK(jobs[3].folder.empty());
}

TEST_CASE("cores are divided among parallel runs, unless a pipeline names its threads") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, training_script(scratch));
  auto jobs = jobs_named({"a", "b"});
  jobs[1].pipeline.train.options.threads = 3;
  launch::run_batch(jobs, scratch / "runs", at_a_time(2), {[](const Job&) {}});
  auto calls = test::lines_of(scratch / "calls.txt");
  REQUIRE(calls.size() == 2);
  std::sort(calls.begin(), calls.end());
  CHECK(test::text(calls[0]) == doctest::Contains(" --progress lines --threads 8"));
  CHECK(calls[1].find("--threads") == std::string::npos);
  auto single = jobs_named({"c"});
  launch::run_batch(single, scratch / "runs", {}, {[](const Job&) {}});
  CHECK(test::lines_of(scratch / "calls.txt").back().find("--threads") == std::string::npos);
  // Alone, but told how many cores there are: those of a task in a queue.
  auto told = jobs_named({"d"});
  launch::run_batch(told, scratch / "runs", at_a_time(1), {[](const Job&) {}});
  CHECK(test::text(test::lines_of(scratch / "calls.txt").back()) == doctest::Contains("--threads 16"));
}

TEST_CASE("a run that cannot start has failed, with the reason, and stops no other") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, "sleep 0.1; echo '{\"ending\": \"finished\"}' > \"$4/result.json\"");
  auto jobs = jobs_named({"a", "no/such", "b"});
  launch::run_batch(jobs, scratch / "runs", at_a_time(2), {[](const Job&) {}});
  CHECK(states(jobs) == "dfd");
  CHECK(test::text(jobs[1].problem) == doctest::Contains("cannot be made"));
  CHECK(record::RunDirectory(jobs[0].folder).is_finished());
}

TEST_CASE("a finished run counts only for exactly the same pipeline") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("a");
  CHECK(launch::finished_run(scratch / "none", pipeline).empty());
  const auto folder = record::RunDirectory::create(scratch.path(), pipeline).folder();
  CHECK(launch::finished_run(scratch.path(), pipeline).empty());
  nbs::write_file(folder / "result.json", "{\"ending\": \"interrupted\"}");
  CHECK(launch::finished_run(scratch.path(), pipeline).empty());
  const auto second = record::RunDirectory::create(scratch.path(), pipeline).folder();
  nbs::write_file(second / "result.json", "{\"ending\": \"patience\"}");
  CHECK(launch::finished_run(scratch.path(), pipeline) == second);
  CHECK(launch::finished_run(scratch.path(), test::small_pipeline("a", 1)).empty());
  // A run whose pipeline is gone is of no known pipeline, and stops nobody from looking on.
  std::filesystem::remove(second / "resolved.toml");
  CHECK(launch::finished_run(scratch.path(), pipeline).empty());
  // The name alone does not decide.
  nbs::write_file(second / "resolved.toml", config::to_toml(test::small_pipeline("a", 1)));
  CHECK(launch::finished_run(scratch.path(), pipeline).empty());
}

TEST_CASE(
    "a run that was finished with another build of a plugin does not count, and the batch says why it runs again") {
  const test::Scratch scratch;
  auto pipeline = test::small_pipeline("a");
  auto& sampler = pipeline.sampler.emplace();
  sampler.plugin = "stripes";
  sampler.hash = "bb";
  const auto run = record::RunDirectory::create(scratch / "runs", pipeline);
  nbs::write_file(run.result(), "{\"ending\": \"finished\"}");
  record::Provenance provenance;
  provenance.plugins = {{"sampler", "stripes", "1.0", "libnbs-stripes.so", "bb"}};
  run.write_provenance(provenance);
  CHECK(launch::finished_run(scratch / "runs", pipeline) == run.folder());
  pipeline.sampler->hash = "cc";  // it was built again
  std::vector<std::string> remarks;
  CHECK(launch::finished_run(scratch / "runs", pipeline, &remarks).empty());
  REQUIRE(remarks.size() == 1);
  CHECK(test::text(remarks[0]) ==
        doctest::Contains("is finished, but not with these plugins, so it does not count: the sampler \"stripes\" was "
                          "libnbs-stripes.so 1.0 with the SHA-256 bb in the run, and is a library with cc now"));

  const test::FakeWorker worker(scratch, "echo '{\"ending\": \"finished\"}' > \"$4/result.json\"");
  std::vector<Job> jobs(1);
  jobs[0].label = "a (seed 0)";
  jobs[0].pipeline = pipeline;
  const auto said = test::messages_of([&] { launch::run_batch(jobs, scratch / "runs", {}, {[](const Job&) {}}); });
  CHECK(states(jobs) == "d");
  CHECK(jobs[0].folder != run.folder());
  CHECK(test::text(said) == doctest::Contains(("nbs: a (seed 0): " + remarks[0]).c_str()));
  // Of a run that does not say with what it was made, nobody knows.
  std::filesystem::remove(run.provenance());
  pipeline.sampler->hash = "bb";
  CHECK(launch::finished_run(scratch / "runs", pipeline).empty());
}
