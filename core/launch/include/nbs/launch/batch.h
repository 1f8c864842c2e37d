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
    done,        ///< finished: its scores are there; if `status` is not 0, something else is missing
    failed,      ///< no finished result; `problem`, or the run's log.txt, says why
    interrupted  ///< was told to stop; counts as not finished
  } state = State::waiting;
  int status = 0;       ///< of its worker: an exit code, or 128 and a signal's number
  std::string problem;  ///< what this program knows of a failure, as a sentence; may be empty
};

/// The folder under `parent` of a finished run of exactly this pipeline with exactly these plugins, or an empty path.
/// `remarks`: a clause is added for each run that only the plugins tell from it.
std::filesystem::path finished_run(const std::filesystem::path& parent, const config::Pipeline& pipeline,
                                   std::vector<std::string>* remarks = nullptr);

/// How a batch ended.
struct BatchEnd {
  int stop_signal = 0;       ///< that told it to stop; 0 if all jobs were tried
  std::size_t problems = 0;  ///< exceptions of `changed`
};

/// Runs the jobs, `parallel` at a time (threads are divided unless a pipeline names a number); a job that was finished
/// before is skipped, and a job that fails, even to start, stops no other. Each run's messages go to its log.txt.
/// `changed` is told of every change; what it throws is said on standard error, and the batch goes on. Told to stop
/// (see Workers), it starts no more and waits for those that run.
BatchEnd run_batch(std::vector<Job>& jobs, const std::filesystem::path& parent, int parallel,
                   const std::function<void(const Job&)>& changed);

}  // namespace nbs::launch
