// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nbs/launch/batch.h"

#include "batch_display.h"
#include "pipelines.h"

namespace nbs::cli {

std::vector<launch::Job> jobs_of(std::vector<NamedPipeline> pipelines);

/// How run_jobs() ended.
struct JobsEnd {
  launch::BatchEnd batch;
  bool all_well = true;  ///< every job that ended is finished and lacks nothing
};

/// Runs the jobs, shows it, and makes the report of each run that gets finished.
JobsEnd run_jobs(std::vector<launch::Job>& jobs, const std::filesystem::path& parent,
                 const launch::BatchOptions& options, BatchDisplay& display);

/// Adds -j, --cores, --retry and --timeout to a command.
void add_job_options(CLI::App& command, launch::BatchOptions& options);

}  // namespace nbs::cli
