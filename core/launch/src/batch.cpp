// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/batch.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>

#include <fmt/format.h>
#include <unistd.h>

#include "nbs/base/ending.h"
#include "nbs/base/files.h"
#include "nbs/base/print.h"
#include "nbs/error.h"
#include "nbs/launch/claim.h"
#include "nbs/launch/experience.h"
#include "nbs/launch/machine.h"
#include "nbs/launch/worker_process.h"
#include "nbs/record/metrics_file.h"
#include "nbs/record/run_directory.h"

namespace nbs::launch {

namespace {

using Kind = Claim::Kind;

/// What the runs that are running take together.
struct InUse {
  int cores = 0;
  double memory_mib = 0;
};

/// The last line of a run's log, in which a worker that gives up says why; empty if there is none.
std::string last_line(const std::filesystem::path& log) {
  constexpr std::size_t kMost = 2000;
  try {
    auto end = FileReader(log).end(kMost);
    end.erase(end.find_last_not_of(" \n") + 1);
    return end.substr(end.find_last_of('\n') + 1);
  } catch (const Error&) {
    return "";
  }
}

/// A batch while it runs. It has many members, as it is all that a batch knows.
class Batch {
 public:
  Batch(std::filesystem::path parent, const BatchOptions& options, const BatchWatcher& watcher)
      : index_(std::move(parent)), options_(options), watcher_(watcher) {
    options_.parallel = std::max(1, options_.parallel);
    if (options_.cores <= 0) {
      options_.cores = usable_cores();
    } else {
      cores_were_said_ = true;
    }
  }

  BatchEnd run(std::vector<Job>& jobs) {
    look_for_finished(jobs);
    for (;;) {
      const bool starts = workers_.stop_signal() == 0 && !failed_;
      const auto next = starts ? next_to_start() : waiting_.end();
      if (next != waiting_.end()) {
        Job& job = **next;
        waiting_.erase(next);
        start(job);
      } else if (workers_.running() > 0) {
        wait_for_one();
      } else if (starts && !elsewhere_.empty() && patience_left()) {
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
  // Before anything is started, so that what is known of finished runs is known of all.
  void look_for_finished(std::vector<Job>& jobs) {
    for (auto& job : jobs) {
      if (workers_.stop_signal() != 0) return;
      try {
        auto found = find_run(index_, job.pipeline);
        if (found.state == FoundRun::State::complete) {
          experience_.learn(job.pipeline, *found.result);
          tidy_finished(found.folder);
          job.folder = std::move(found.folder);
          job.state = Job::State::skipped;
          tell(job);
          continue;
        }
      } catch (const Error&) {
        // Said when it is its turn.
      }
      waiting_.push_back(&job);
    }
  }

  int threads_of(const Job& job) const {
    const auto own = static_cast<int>(job.pipeline.train.options.threads);
    return own > 0 ? own : std::max(1, options_.cores / options_.parallel);
  }

  InUse in_use() const {
    InUse use;
    for (const auto& [process, running] : running_) {
      use.cores += std::min(threads_of(*running.job), options_.cores);
      use.memory_mib += running.job->memory_mib;
    }
    return use;
  }

  // The first that fits beside those that run; not only the very first, so that a large one does not hold up small
  // ones. When nothing runs, it fits.
  std::deque<Job*>::iterator next_to_start() {
    constexpr std::ptrdiff_t kMostTried = 64;
    short_of_memory_ = false;
    if (running_.empty() && !waiting_.empty()) return waiting_.begin();
    if (running_.size() >= static_cast<std::size_t>(options_.parallel)) return waiting_.end();
    const auto use = in_use();
    auto end = waiting_.begin();
    std::advance(end, std::min<std::ptrdiff_t>(kMostTried, static_cast<std::ptrdiff_t>(waiting_.size())));
    for (auto at = waiting_.begin(); at != end; ++at) {
      if (use.cores + threads_of(**at) > options_.cores) continue;
      const bool fits =
          options_.memory_mib <= 0 || use.memory_mib + experience_.memory_mib((*at)->pipeline) <= options_.memory_mib;
      if (fits) return at;
      short_of_memory_ = true;
    }
    return waiting_.end();
  }

  // Whatever happens in telling it, the batch goes on.
  void tell(const Job& job) {
    try {
      if (watcher_.changed) watcher_.changed(job);
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
      auto claim = claim_run(index_, job.pipeline);
      for (const auto& remark : claim.remarks)
        say(fmt::format("nbs: {}: {}", job.label, remark));
      job.folder = claim.folder;
      if (claim.kind == Kind::complete) {
        job.state = Job::State::skipped;  // somebody else was quicker
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
    job.memory_mib = experience_.memory_mib(job.pipeline);
    job.began_at = job.resumed ? record::iterations_done(record::RunDirectory(job.folder).metrics()) : 0;
    job.began = std::chrono::steady_clock::now();
    const pid_t process = workers_.start(words_for(job), how);
    running_.emplace(process, Running{&job, std::move(claim)});
    job.state = Job::State::running;
  }

  std::vector<std::string> words_for(const Job& job) const {
    const auto resolved = record::RunDirectory(job.folder).resolved();
    std::vector<std::string> words = {"run", resolved.string(), "--out", job.folder.string(), "--progress", "lines"};
    if ((options_.parallel > 1 || cores_were_said_) && job.pipeline.train.options.threads == 0) {
      words.emplace_back("--threads");
      words.push_back(std::to_string(threads_of(job)));
    }
    if (job.resumed) words.insert(words.end(), {"--resume", "yes"});
    return words;
  }

  // About once a second: how much memory each has used, which is more than was expected if nothing was known.
  void tick() {
    for (const auto& [process, running] : running_) {
      const double peak = peak_memory_mib(process);
      if (peak <= running.job->memory_mib) continue;
      running.job->memory_mib = peak;
      experience_.learn_memory(running.job->pipeline, peak);
    }
    if (!watcher_.ticked) return;
    try {
      watcher_.ticked(status());
    } catch (const std::exception& error) {
      ++end_.problems;
      say(fmt::format("nbs: {}; the batch goes on", error.what()));
    }
  }

  BatchStatus status() const {
    BatchStatus now;
    now.waiting = waiting_.size() + elsewhere_.size();
    now.short_of_memory = short_of_memory_;
    double work = 0;  // seconds, one run after the other
    bool known = true;
    const auto add = [&](std::optional<double> seconds) {
      known = known && seconds.has_value();
      work += seconds.value_or(0);
    };
    std::optional<double> slowest;
    std::optional<double> pace;  // of the running ones, where no finished one says
    for (const auto& [process, running] : running_) {
      const Job& job = *running.job;
      now.running.push_back(&job);
      const auto done = record::iterations_done(record::RunDirectory(job.folder).metrics());
      const auto left = seconds_left(job, done);
      add(left);
      if (left) slowest = std::max(slowest.value_or(0), *left);
      const auto rest = static_cast<double>(iterations_of(job.pipeline) - done);
      if (left && rest > 0) pace = std::max(pace.value_or(0), *left / rest);
    }
    for (const Job* const job : waiting_) {
      const auto each = experience_.seconds_per_iteration(job->pipeline);
      add(each ? *each * static_cast<double>(iterations_of(job->pipeline))
               : (pace ? std::optional(*pace * static_cast<double>(iterations_of(job->pipeline))) : std::nullopt));
      if (!known) break;
    }
    if (known && !now.running.empty())
      now.seconds_left = std::max(slowest.value_or(0), work / static_cast<double>(now.running.size()));
    std::sort(now.running.begin(), now.running.end(), [](const Job* a, const Job* b) { return a->began < b->began; });
    return now;
  }

  void wait_for_one() {
    const auto one = workers_.wait_for(std::chrono::seconds(1));
    if (!one) {
      tick();
      return;
    }
    const WorkerEnd& end = *one;
    auto ended = running_.extract(end.process);
    Job& job = *ended.mapped().job;
    job.status = end.status();
    job.problem = explanation(end);
    if (const auto result = record::RunDirectory(job.folder).complete_result()) {
      experience_.learn(job.pipeline, *result);
      // Scores and model are there; a status other than 0 then says that something beside them is missing.
      job.state = Job::State::done;
    } else if (workers_.stop_signal() != 0 || (end.status() == 130 && !end.timed_out)) {
      job.state = Job::State::interrupted;
    } else if (end.code == kCheckpointRefused) {
      begin_anew(job, std::move(ended.mapped().claim));
    } else if (end.timed_out) {
      job.problem = fmt::format("it did not end within {} minutes (--timeout) and was ended", options_.minutes);
      fail(job);
    } else {
      if (end.status() == 0) job.problem = "the worker ended as if all were well, but left no finished result";
      if (job.problem.empty()) job.problem = last_line(record::RunDirectory(job.folder).log());
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

  bool patience_left() {
    const auto now = std::chrono::steady_clock::now();
    if (!waits_since_) waits_since_ = now;
    return std::chrono::duration<double>(now - *waits_since_).count() < options_.patience;
  }

  struct Running {
    Job* job;
    Claim claim;
  };

  RunIndex index_;
  BatchOptions options_;
  const BatchWatcher& watcher_;
  bool cores_were_said_ = false;
  Experience experience_;
  std::deque<Job*> waiting_;
  std::deque<Job*> elsewhere_;
  // Before the workers, which end before the locks are let go.
  std::map<pid_t, Running> running_;
  Workers workers_;
  bool failed_ = false;  // so that nothing more is started
  bool short_of_memory_ = false;
  std::optional<std::chrono::steady_clock::time_point> waits_since_;
  BatchEnd end_;
};

}  // namespace

std::optional<double> seconds_left(const Job& job, std::int64_t done) {
  if (done <= job.began_at) return std::nullopt;
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - job.began;
  const auto left = static_cast<double>(std::max<std::int64_t>(0, iterations_of(job.pipeline) - done));
  return since.count() / static_cast<double>(done - job.began_at) * left;
}

BatchEnd run_batch(std::vector<Job>& jobs, const std::filesystem::path& parent, const BatchOptions& options,
                   const BatchWatcher& watcher) {
  remove_unfinished_files(parent);
  return Batch(parent, options, watcher).run(jobs);
}

}  // namespace nbs::launch
