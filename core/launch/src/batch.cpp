// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/batch.h"

#include <algorithm>
#include <deque>
#include <map>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "nbs/base/ending.h"
#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/launch/claim.h"
#include "nbs/launch/worker_process.h"
#include "nbs/record/run_directory.h"

namespace nbs::launch {

namespace {

using Kind = Claim::Kind;

/// A batch while it runs.
class Batch {
 public:
  Batch(std::filesystem::path parent, const BatchOptions& options, const std::function<void(const Job&)>& changed)
      : parent_(std::move(parent)),
        options_(options),
        parallel_(static_cast<std::size_t>(std::max(1, options.parallel))),
        changed_(changed) {}

  BatchEnd run(std::vector<Job>& jobs) {
    for (auto& job : jobs)
      waiting_.push_back(&job);
    for (;;) {
      const bool starts = workers_.stop_signal() == 0 && !failed_;
      if (starts && !waiting_.empty() && workers_.running() < parallel_) {
        Job& job = *waiting_.front();
        waiting_.pop_front();
        start(job);
      } else if (workers_.running() > 0) {
        wait_for_one();
      } else if (starts && !elsewhere_.empty()) {
        look_again();
      } else {
        break;
      }
    }
    end_.failed_fast = failed_ && (!waiting_.empty() || !elsewhere_.empty());
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

  void start(Job& job) {
    try {
      auto claim = claim_run(parent_, job.pipeline);
      for (const auto& remark : claim.remarks)
        say(fmt::format("nbs: {}: {}", job.label, remark));
      job.folder = claim.folder;
      if (claim.kind == Kind::complete) {
        job.state = Job::State::skipped;
      } else if (claim.kind == Kind::elsewhere) {
        elsewhere_.push_back(&job);
        if (job.state == Job::State::elsewhere) return;  // was told before
        job.state = Job::State::elsewhere;
      } else {
        start_worker(job, std::move(claim));
      }
    } catch (const std::exception& error) {
      job.state = Job::State::failed;
      job.status = 1;
      job.problem = error.what();
      failed_ = failed_ || options_.fail_fast;
    }
    tell(job);
  }

  void start_worker(Job& job, Claim claim) {
    job.resumed = claim.kind == Kind::resume;
    WorkerStart how;
    how.log = record::RunDirectory(job.folder).log();
    how.descriptors = claim.descriptors();
    how.seconds = 60 * options_.minutes;
    const pid_t process = workers_.start(words_for(job), how);
    running_.emplace(process, Running{&job, std::move(claim)});
    job.state = Job::State::running;
  }

  std::vector<std::string> words_for(const Job& job) const {
    const auto resolved = record::RunDirectory(job.folder).resolved();
    std::vector<std::string> words = {"run", resolved.string(), "--out", job.folder.string(), "--progress", "lines"};
    if (parallel_ > 1 && job.pipeline.train.options.threads == 0) {
      const auto cores = std::max<std::size_t>(1, std::thread::hardware_concurrency());
      words.emplace_back("--threads");
      words.push_back(std::to_string(std::max<std::size_t>(1, cores / parallel_)));
    }
    if (job.resumed) words.insert(words.end(), {"--resume", "yes"});
    return words;
  }

  void wait_for_one() {
    const WorkerEnd end = workers_.wait();
    auto ended = running_.extract(end.process);
    Job& job = *ended.mapped().job;
    job.status = end.status();
    job.problem = explanation(end);
    const record::RunDirectory run(job.folder);
    if (run.is_complete()) {
      // Scores and model are there; a status other than 0 then says that something beside them is missing.
      job.state = Job::State::done;
    } else if (workers_.stop_signal() != 0) {
      job.state = Job::State::interrupted;
    } else if (end.code == kCheckpointRefused) {
      begin_anew(job, std::move(ended.mapped().claim));
    } else if (end.timed_out) {
      job.problem = fmt::format("it did not end within {} minutes (--timeout) and was ended", options_.minutes);
      fail(job);
    } else if (end.status() == 130) {
      job.state = Job::State::interrupted;
    } else {
      if (end.status() == 0) job.problem = "the worker ended as if all were well, but left no finished result";
      fail(job);
    }
    tell(job);
  }

  // Why is in its log.
  void begin_anew(Job& job, Claim claim) {
    std::error_code ignored;
    std::filesystem::remove(record::RunDirectory(job.folder).checkpoint(), ignored);
    job.checkpoint_refused = true;
    claim.kind = Kind::begin;
    try {
      start_worker(job, std::move(claim));
    } catch (const std::exception& error) {
      job.problem = error.what();
      fail(job);
    }
  }

  void fail(Job& job) {
    ++job.attempts;
    const bool diverged = record::RunDirectory(job.folder).state() == record::RunState::diverged;
    if (job.attempts <= options_.retries && !diverged && !failed_) {
      job.state = Job::State::again;
      waiting_.push_front(&job);
      return;
    }
    job.state = Job::State::failed;
    failed_ = failed_ || options_.fail_fast;
  }

  // All else has ended. A signal ends the pause.
  void look_again() {
    constexpr int kPause = 500000;  // microseconds
    usleep(kPause);
    waiting_.swap(elsewhere_);
  }

  struct Running {
    Job* job;
    Claim claim;
  };

  std::filesystem::path parent_;
  BatchOptions options_;
  std::size_t parallel_;
  const std::function<void(const Job&)>& changed_;
  std::deque<Job*> waiting_;
  std::deque<Job*> elsewhere_;
  // Before the workers, which end before the locks are let go.
  std::map<pid_t, Running> running_;
  Workers workers_;
  bool failed_ = false;  // so that nothing more is started
  BatchEnd end_;
};

}  // namespace

BatchEnd run_batch(std::vector<Job>& jobs, const std::filesystem::path& parent, const BatchOptions& options,
                   const std::function<void(const Job&)>& changed) {
  remove_unfinished_files(parent);
  return Batch(parent, options, changed).run(jobs);
}

}  // namespace nbs::launch
