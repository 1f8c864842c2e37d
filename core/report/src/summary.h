// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "folder_sections.h"
#include "statistics.h"

// What is written of a folder with many runs.

namespace nbs::report {

/// `options`: as shown_options() gives them; `curves`: of the records, in their order.
std::string index_page(const std::filesystem::path& folder, const std::vector<RunRecord>& records,
                       const std::vector<Group>& groups, const std::vector<std::string>& options,
                       const LearningCurves& curves);

/// A line a run: where, how it stands, seeds, all scores with all digits, and the options that are not the same in all
/// runs.
std::string summary_csv(const std::filesystem::path& folder, const std::vector<RunRecord>& records);

std::string summary_markdown(const std::filesystem::path& folder, const std::vector<RunRecord>& records,
                             const std::vector<Group>& groups);

/// The run's place below the folder, "." for the folder itself.
std::string place_below(const std::filesystem::path& folder, const RunRecord& run);

/// "24 runs: 20 finished, 3 unfinished, 1 diverged".
std::string counts_text(const std::vector<RunRecord>& records);

}  // namespace nbs::report
