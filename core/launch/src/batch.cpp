// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/batch.h"

#include <algorithm>
#include <map>
#include <thread>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/launch/worker_process.h"
#include "nbs/record/run_directory.h"

namespace nbs::launch {

namespace {

/// A batch while it runs.
class Batch {
 public:
  Batch(std::filesystem::path parent, int parallel, const std::function<void(const Job&)>& changed)
      : parent_(std::move(parent)), parallel_(static_cast<std::size_t>(std::max(1, parallel))), changed_(changed) {}

  BatchEnd run(std::vector<Job>& jobs) {
    for (auto& job : jobs) {
      if (workers_.stop_signal() != 0) break;
      if (!skip(job)) start(job);
    }
    while (workers_.running() > 0)
      wait_for_one();
    end_.stop_signal = workers_.stop_signal();
    return end_;
  }

 private:
  // Whatever happens in telling it, the batch goes on.
  void tell(const Job& job) {
    try {
      changed_(job);
    } catch (const std::exception& error) {
      ++end_.problems;
      say(fmt::format("nbs: {}: {}; the batch goes on", job.label, error.what()));
    } catch (...) {
      ++end_.problems;
      say(fmt::format("nbs: {}: what was to be done now failed; the batch goes on", job.label));
    }
  }

  bool skip(Job& job) {
    std::vector<std::string> remarks;
    job.folder = finished_run(parent_, job.pipeline, &remarks);
    for (const auto& remark : remarks)
      say(fmt::format("nbs: {}: {}", job.label, remark));
    if (job.folder.empty()) return false;
    job.state = Job::State::skipped;
    tell(job);
    return true;
  }

  void start(Job& job) {
    while (workers_.running() >= parallel_)
      wait_for_one();
    if (workers_.stop_signal() != 0) return;
    try {
      job.folder = record::RunDirectory::create(parent_, job.pipeline).folder();
      const pid_t process = workers_.start(words_for(job), record::RunDirectory(job.folder).log());
      jobs_.emplace(process, &job);
      job.state = Job::State::running;
    } catch (const std::exception& error) {
      job.state = Job::State::failed;
      job.status = 1;
      job.problem = error.what();
    }
    tell(job);
  }

  std::vector<std::string> words_for(const Job& job) const {
    const auto resolved = record::RunDirectory(job.folder).resolved();
    std::vector<std::string> words = {"run", resolved.string(), "--out", job.folder.string(), "--progress", "lines"};
    if (parallel_ > 1 && job.pipeline.train.options.threads == 0) {
      const auto cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
      words.emplace_back("--threads");
      words.push_back(std::to_string(std::max<std::size_t>(1, cores / parallel_)));
    }
    return words;
  }

  void wait_for_one() {
    const WorkerEnd end = workers_.wait();
    Job& job = *jobs_.at(end.process);
    jobs_.erase(end.process);
    job.status = end.status();
    job.problem = explanation(end);
    if (record::RunDirectory(job.folder).is_finished()) {
      // Scores and model are there; a status other than 0 then says that something beside them is missing.
      job.state = Job::State::done;
    } else if (workers_.stop_signal() != 0 || end.status() == 130) {
      job.state = Job::State::interrupted;
    } else {
      job.state = Job::State::failed;
      if (end.status() == 0) job.problem = "the worker ended as if all were well, but left no finished result";
    }
    tell(job);
  }

  std::filesystem::path parent_;
  std::size_t parallel_;
  const std::function<void(const Job&)>& changed_;
  Workers workers_;
  std::map<pid_t, Job*> jobs_;
  BatchEnd end_;
};

}  // namespace

std::filesystem::path finished_run(const std::filesystem::path& parent, const config::Pipeline& pipeline,
                                   std::vector<std::string>* remarks) {
  const std::string stem = fmt::format("{}-{}", pipeline.name, config::short_hash(pipeline));
  std::error_code failed;
  std::filesystem::directory_iterator at(parent, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    const auto& folder = at->path();
    const std::string name = folder.filename().string();
    if (name != stem && name.rfind(stem + "-", 0) != 0) continue;
    const record::RunDirectory run(folder);
    if (!run.is_finished()) continue;
    try {
      // The hash in the name is short; the file itself decides.
      if (read_file(run.resolved()) != config::to_toml(pipeline)) continue;
      const auto changes = record::changed_plugins(run.read_provenance().value_or(record::Provenance{}), pipeline);
      if (changes.empty()) return folder;
      if (remarks != nullptr) {
        remarks->push_back(fmt::format("{} is finished, but not with these plugins, so it does not count: {}",
                                       folder.string(), fmt::join(changes, "; ")));
      }
    } catch (const Error&) {
      // Nobody knows of which pipeline that is the result.
    }
  }
  return {};
}

BatchEnd run_batch(std::vector<Job>& jobs, const std::filesystem::path& parent, int parallel,
                   const std::function<void(const Job&)>& changed) {
  return Batch(parent, parallel, changed).run(jobs);
}

}  // namespace nbs::launch
