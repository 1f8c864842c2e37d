// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nbs/config/pipeline.h"

namespace nbs::launch {

/// One run of a batch.
struct Job {
  std::string label;
  config::Pipeline pipeline;
  std::filesystem::path folder;  ///< of the run; set when it starts, or was found finished
  enum class State {
    waiting,  ///< has not started
    skipped,  ///< was finished before
    running,
    done,         ///< finished: its scores are there; if `status` is not 0, something else is missing
    failed,       ///< no finished result; `problem`, or the run's log.txt, says why
    interrupted,  ///< was told to stop; counts as not finished
    elsewhere,    ///< another process works on it; looked at again when all others have ended
    again         ///< has failed, and will be tried once more
  } state = State::waiting;
  int status = 0;                   ///< of its worker: an exit code, or 128 and a signal's number
  std::string problem;              ///< what this program knows of a failure, as a sentence; may be empty
  bool resumed = false;             ///< it goes on from a checkpoint
  bool checkpoint_refused = false;  ///< there was one, but the worker refused it and began anew
  int attempts = 0;                 ///< times that it has failed
  double memory_mib = 0;            ///< that it is expected to take at most, or has taken so far if that is more
  std::int64_t began_at = 0;        ///< iterations that were done when it was started
  std::chrono::steady_clock::time_point began = {};
};

/// How a batch is run.
struct BatchOptions {
  int parallel = 1;            ///< runs at a time, at most
  int retries = 0;             ///< times that a run which failed is tried again; one that diverged is not
  double minutes = 0;          ///< after which a run is told to end, and has failed; 0: no limit
  bool fail_fast = false;      ///< start no more runs when one has failed for good
  int cores = 0;               ///< that the runs share; 0: those that this process may use
  double memory_mib = 0;       ///< that the runs may take together; 0: no limit. One run is always started
  double patience = kForEver;  ///< seconds that a run is waited for which another process works on

  static constexpr double kForEver = 1e18;
};

/// How a batch ended.
struct BatchEnd {
  int stop_signal = 0;       ///< that told it to stop; 0 if all jobs were tried
  std::size_t problems = 0;  ///< exceptions of `changed`
  bool failed_fast = false;  ///< runs were left out because one had failed
};

/// How a batch stands while runs are running.
struct BatchStatus {
  std::vector<const Job*> running;
  std::size_t waiting = 0;
  bool short_of_memory = false;        ///< fewer run than might, as no more memory may be taken
  std::optional<double> seconds_left;  ///< of the whole batch; none as long as it cannot be judged
};

/// Whom a batch tells of itself.
struct BatchWatcher {
  std::function<void(const Job&)> changed;              ///< of every change
  std::function<void(const BatchStatus&)> ticked = {};  ///< about once a second while runs are running; may be empty
};

/// How many seconds a running job still takes, judged by what it has done since it began; none as long as it has done
/// nothing. `done`: iterations that are done.
std::optional<double> seconds_left(const Job& job, std::int64_t done);

/// Runs the jobs, some at a time. The cores are divided among them unless a pipeline names its threads; a job is held
/// back while those that run leave too few cores or, as far as is known (Experience), too little memory for it. A job
/// that was finished before is skipped, one that was cut off goes on in its folder (claim_run()), and a job that fails,
/// even to start, stops no other. A job that another process works on is waited for, at the end. Each run's messages go
/// to its log.txt. What the watcher throws is said on standard error, and the batch goes on. Told to stop (see
/// Workers), it starts no more and waits for those that run.
BatchEnd run_batch(std::vector<Job>& jobs, const std::filesystem::path& parent, const BatchOptions& options,
                   const BatchWatcher& watcher);

}  // namespace nbs::launch
