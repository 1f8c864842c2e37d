// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nbs/config/pipeline.h"
#include "nbs/record/run_result.h"

namespace nbs::worker {

/// Reads the result of a run's folder, which may come from anybody, for the use of its model: threshold (from 0 to the
/// next number above 1, with which nothing is anomalous) and the model's hashes are there. Throws nbs::Error, a
/// sentence with the file and what to do, if there is no result, if it is damaged, or if the run left no model that can
/// be read.
record::RunResult read_ended_run(const std::filesystem::path& run_folder);

/// Tuned options of a result as those of the chain, which gives the options and their types. Throws nbs::Error if they
/// do not belong to it.
std::vector<OptionValues> tuned_values(const std::vector<OptionValues>& tuned,
                                       const std::vector<config::ComponentSpec>& chain);

}  // namespace nbs::worker
