// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nbs/config/pipeline.h"

namespace nbs::run {

/// One run of a batch.
struct Job {
  std::string label;
  config::Pipeline pipeline;
  std::filesystem::path folder;  ///< of the run; set when it starts, or was found finished
  enum class State { waiting, skipped, running, done, failed } state = State::waiting;
  int status = 0;
};

/// The folder under `parent` of a finished run of exactly this pipeline, or an empty path.
std::filesystem::path finished_run(const std::filesystem::path& parent, const config::Pipeline& pipeline);

/// Runs the jobs, `parallel` at a time (threads are divided unless a pipeline names a number); a job that was finished
/// before is skipped, a failure stops no other. `changed` is told of every change. Each run's messages go to its
/// log.txt.
void run_batch(std::vector<Job>& jobs, const std::filesystem::path& parent, int parallel,
               const std::function<void(const Job&)>& changed);

}  // namespace nbs::run
