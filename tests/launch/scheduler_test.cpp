// SPDX-License-Identifier: Apache-2.0
// What holds runs of a batch back: cores and memory.
#include <algorithm>

#include <doctest/doctest.h>

#include "nbs/launch/batch.h"
#include "nbs/launch/claim.h"
#include "nbs/launch/experience.h"
#include "nbs/launch/machine.h"

#include "error_text.h"
#include "run_environment.h"

using namespace nbs;
using doctest::Approx;
using doctest::Contains;
using launch::Job;
using State = launch::Job::State;

namespace {

// A finished run that has taken so much.
std::string result_with(double mib) {
  return "{\"ending\": \"finished\", \"iterations\": 10, \"seconds\": {\"total\": 5}, \"peak_memory_mib\": " +
         std::to_string(mib) + "}";
}

std::vector<Job> jobs_called(const std::string& names) {
  std::vector<Job> jobs(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    jobs[i].label = names.substr(i, 1);
    jobs[i].pipeline = test::small_pipeline(jobs[i].label);
  }
  return jobs;
}

// Runs the batch; returns how many cores or MiB were in use at most, by what each job takes, and the order of starts.
template <typename Take>
std::pair<double, std::string> most_in_use(std::vector<Job>& jobs, const std::filesystem::path& parent,
                                           const launch::BatchOptions& options, const Take& take) {
  double now = 0;
  double most = 0;
  std::string order;
  launch::run_batch(jobs, parent, options, {[&](const Job& job) {
                      if (job.state == State::skipped) return;
                      now += job.state == State::running ? take(job) : -take(job);
                      most = std::max(most, now);
                      if (job.state == State::running) order += job.label;
                    }});
  CHECK(now == 0);
  return {most, order};
}

constexpr const char* kSlow = "sleep 0.3; echo '{\"ending\": \"finished\"}' > \"$4/result.json\"";

}  // namespace

TEST_CASE("runs that name their threads are never given more cores than there are") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, kSlow);
  auto jobs = jobs_called("abcde");
  const int threads[] = {3, 2, 2, 9, 1};
  for (std::size_t i = 0; i < jobs.size(); ++i)
    jobs[i].pipeline.train.options.threads = threads[i];
  launch::BatchOptions options;
  options.parallel = 4;
  options.cores = 4;
  const auto cores = [](const Job& job) {
    return std::min(4.0, static_cast<double>(job.pipeline.train.options.threads));
  };
  const auto [most, order] = most_in_use(jobs, scratch / "runs", options, cores);
  CHECK(most == 4);  // all of them are used, and no more
  // The second does not fit beside the first, but the last does.
  CHECK(order.substr(0, 2) == "ae");
  for (const auto& job : jobs)
    CHECK(job.state == State::done);
}

TEST_CASE("more runs at a time than cores are done one for each core") {
  const test::Scratch scratch;
  const test::FakeWorker worker(scratch, kSlow);
  auto jobs = jobs_called("abcde");
  launch::BatchOptions options;
  options.parallel = 5;
  options.cores = 2;
  CHECK(most_in_use(jobs, scratch / "runs", options, [](const Job&) { return 1.0; }).first == 2);
}

TEST_CASE("runs that would take more memory together than the budget are held back, by what finished ones took") {
  const test::Scratch scratch;
  const auto parent = scratch / "runs";
  // One finished run of each pipeline, with another seed, has shown what it takes.
  const auto mib = [](const Job& job) { return job.label == "a" ? 700.0 : (job.label == "b" ? 400.0 : 250.0); };
  for (auto& job : jobs_called("abc")) {
    const auto claim = launch::claim_run(parent, test::small_pipeline(job.label, 7));
    nbs::write_file(claim.folder / "result.json", result_with(mib(job)));
  }
  const test::FakeWorker worker(scratch, kSlow);
  std::vector<Job> jobs;
  for (const auto& name : {"a", "b", "c"}) {
    for (const int seed : {7, 0, 1}) {
      Job job;
      job.label = name;
      job.pipeline = test::small_pipeline(name, seed);
      jobs.push_back(std::move(job));
    }
  }
  launch::BatchOptions options;
  options.parallel = 6;
  options.cores = 6;
  for (const double budget : {0.0, 1000.0, 500.0}) {
    CAPTURE(budget);
    options.memory_mib = budget;
    const auto [most, order] = most_in_use(jobs, parent, options, mib);
    // Without a limit all at once; else as many as fit; one that never fits is done alone.
    CHECK(most == (budget == 0 ? 2 * (700 + 400 + 250) : (budget == 1000 ? 950 : 700)));
    CHECK(order.size() == 6);
    for (auto& job : jobs) {
      CHECK((job.state == State::done || job.state == State::skipped));
      if (job.pipeline.seed != 7) std::filesystem::remove_all(job.folder);
      job.state = State::waiting;
    }
  }
}

TEST_CASE("what a run of the same batch has taken holds back the next ones") {
  const test::Scratch scratch;
  // The first is alone, as it needs all cores.
  const test::FakeWorker worker(scratch, "sleep 0.3; echo '" + result_with(600) + "' > \"$4/result.json\"");
  std::vector<Job> jobs(4);
  for (std::size_t i = 0; i < jobs.size(); ++i)
    jobs[i].pipeline = test::small_pipeline("x", static_cast<std::int64_t>(i));
  jobs[0].pipeline.train.options.threads = 4;
  launch::BatchOptions options;
  options.parallel = 4;
  options.cores = 4;
  options.memory_mib = 1000;
  const auto one = [](const Job&) { return 1.0; };
  CHECK(most_in_use(jobs, scratch / "runs", options, one).first == 1);
  // By its options alone, three of them would fit.
  CHECK(3 * launch::Experience().memory_mib(jobs[1].pipeline) < 1000);
}

TEST_CASE("memory in use while a run is running counts, too") {
  const test::Scratch scratch;
  // The shell itself takes little; what it starts in its place takes 400 MiB for a while.
  const test::FakeWorker worker(scratch, "echo '" + result_with(1) +
                                             "' > \"$4/result.json\"\n"
                                             "exec perl -e '$held = \"x\" x (400 << 20); sleep 4'");
  std::vector<Job> jobs(1);
  jobs[0].pipeline = test::small_pipeline("big");
  double most = 0;
  launch::BatchWatcher watcher;
  watcher.ticked = [&](const launch::BatchStatus& status) {
    for (const auto* const job : status.running)
      most = std::max(most, job->memory_mib);
  };
  launch::run_batch(jobs, scratch / "runs", {}, watcher);
  CHECK(most > 390);
}

TEST_CASE("experience: the same options first, then the same name, then what the options need") {
  launch::Experience experience;
  auto pipeline = test::small_pipeline("x");
  auto other = test::small_pipeline("x", 3);
  other.buffer.values = {{"batch", std::int64_t{8}}};
  const auto unknown = experience.memory_mib(pipeline);
  CHECK(unknown == Approx(250 + config::least_memory(pipeline) / 1048576));
  CHECK_FALSE(experience.knows_memory(pipeline));
  CHECK_FALSE(experience.seconds_per_iteration(pipeline).has_value());
  record::RunResult result;
  result.peak_memory_mib = 300;
  result.iterations = 10;
  result.seconds.emplace();
  result.seconds->total = 5;
  experience.learn(other, result);
  CHECK(experience.memory_mib(pipeline) == 300);
  CHECK(experience.knows_memory(pipeline));
  result.peak_memory_mib = 200;
  experience.learn(test::small_pipeline("x", 9), result);
  CHECK(experience.memory_mib(pipeline) == 200);  // seeds aside it is the same
  CHECK(experience.memory_mib(other) == 300);
  auto split = pipeline;
  split.data.values = {{"split_seed", std::int64_t{5}}};
  CHECK(experience.memory_mib(split) == 200);  // another draw of the labeled images takes no more
  CHECK(*experience.seconds_per_iteration(pipeline) == Approx(0.5));
  CHECK(*experience.seconds_per_iteration(test::small_pipeline("y")) == Approx(0.5));
  CHECK_FALSE(experience.knows_memory(test::small_pipeline("y")));
}

TEST_CASE("memory is what is available, or what a control group leaves") {
  const test::Scratch scratch;
  const auto available = [&] { return launch::available_memory_mib(scratch.path()); };
  CHECK(available() > 1e6);  // a system that does not say holds nothing back
  scratch.write("proc/meminfo", "MemTotal: 9000000 kB\nMemFree: 1 kB\nMemAvailable:    2048000 kB\n");
  CHECK(available() == Approx(2000));
  scratch.write("proc/self/cgroup", "0::/user/job\n");
  scratch.write("sys/fs/cgroup/user/job/memory.max", "max\n");
  CHECK(available() == Approx(2000));
  scratch.write("sys/fs/cgroup/user/memory.max", "1048576000\n");
  scratch.write("sys/fs/cgroup/user/memory.current", "104857600\n");
  CHECK(available() == Approx(900));
  scratch.write("proc/self/cgroup", "5:cpu,memory:/slurm/job_1\n");
  scratch.write("sys/fs/cgroup/memory/slurm/job_1/memory.limit_in_bytes", "524288000\n");
  scratch.write("sys/fs/cgroup/memory/slurm/job_1/memory.usage_in_bytes", "0\n");
  CHECK(available() == Approx(500));
}

TEST_CASE("sizes are read as people write them") {
  CHECK(launch::memory_mib("80%", "--memory", 1000) == Approx(800));
  CHECK(launch::memory_mib("2G", "--memory", 1) == Approx(2048));
  CHECK(launch::memory_mib("512", "--memory", 1) == Approx(512));
  CHECK(launch::memory_mib("1.5t", "--memory", 1) == Approx(1.5 * 1024 * 1024));
  CHECK(launch::memory_mib("2048K", "--memory", 1) == Approx(2));
  for (const auto* const wrong : {"", "G", "-1G", "0", "lots", "1GB", "nan"}) {
    CAPTURE(wrong);
    CHECK(test::error_text([&] { launch::memory_mib(wrong, "--memory", 1000); }) == Contains("--memory is \""));
  }
  CHECK(launch::memory_text(512) == "512 MiB");
  CHECK(launch::memory_text(1536) == "1.5 GiB");
}

TEST_CASE("the time left is judged by what a run has done since it began") {
  Job job;
  job.pipeline = test::small_pipeline("x");
  job.pipeline.train.options.iterations = 100;
  job.pipeline.train.options.predictor_iterations = 20;
  job.began_at = 40;
  job.began = std::chrono::steady_clock::now() - std::chrono::seconds(10);
  CHECK_FALSE(launch::seconds_left(job, 40).has_value());
  CHECK(*launch::seconds_left(job, 60) == Approx(30).epsilon(0.01));  // 20 in 10 s, 60 to go
  CHECK(*launch::seconds_left(job, 120) == 0);
}

TEST_CASE("a look at thousands of folders finds those of a pipeline, also those that were made since") {
  const test::Scratch scratch;
  const auto pipeline = test::small_pipeline("a-0123abcd");  // its name looks like the folder of a run
  const auto stem = record::RunDirectory::stem(pipeline);
  for (const auto& name : {stem + "-3", stem + "-old", stem + "x", std::string("a-0123abcd"), stem.substr(0, 18)})
    std::filesystem::create_directory(scratch / name);
  const launch::RunIndex index(scratch.path());
  const auto names = [&] {
    std::string all;
    for (const auto& folder : index.folders_for(stem))
      all += folder.filename().string().substr(stem.size()) + " ";
    return all;
  };
  CHECK(names() == "-3 -old ");
  CHECK(record::RunDirectory::create(scratch.path(), pipeline).folder() == scratch / stem);
  CHECK(record::RunDirectory::create(scratch.path(), pipeline).folder() == scratch / (stem + "-2"));
  CHECK(record::RunDirectory::create(scratch.path(), pipeline).folder() == scratch / (stem + "-4"));
  CHECK(names() == " -2 -3 -4 -old ");
  std::filesystem::remove_all(scratch / (stem + "-3"));
  CHECK(names() == " -2 -4 -old ");  // one that is gone hides none behind it
}
