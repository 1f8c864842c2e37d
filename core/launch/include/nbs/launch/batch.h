// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
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
};

/// How a batch is run.
struct BatchOptions {
  int parallel = 1;        ///< runs at a time
  int retries = 0;         ///< times that a run which failed is tried again; one that diverged is not
  double minutes = 0;      ///< after which a run is told to end, and has failed; 0: no limit
  bool fail_fast = false;  ///< start no more runs when one has failed for good
};

/// How a batch ended.
struct BatchEnd {
  int stop_signal = 0;       ///< that told it to stop; 0 if all jobs were tried
  std::size_t problems = 0;  ///< exceptions of `changed`
  bool failed_fast = false;  ///< runs were left out because one had failed
};

/// Runs the jobs, some at a time (threads are divided unless a pipeline names a number); a job that was finished before
/// is skipped, one that was cut off goes on in its folder (claim_run()), and a job that fails, even to start, stops no
/// other. A job that another process works on is waited for, at the end. Each run's messages go to its log.txt.
/// `changed` is told of every change; what it throws is said on standard error, and the batch goes on. Told to stop
/// (see Workers), it starts no more and waits for those that run.
BatchEnd run_batch(std::vector<Job>& jobs, const std::filesystem::path& parent, const BatchOptions& options,
                   const std::function<void(const Job&)>& changed);

}  // namespace nbs::launch
