// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "nbs/record/scores.h"

namespace nbs::cli {

/// "expected F1 0.550 (0.410 to 0.660)".
std::string expected_text(const record::ExpectedScores& expected);

/// "F1 0.512 at threshold 0.431 (oracle F1 0.530), AUROC 0.921, …" from a run's result, with "undefined" for what
/// is not defined, and which pictures are missing; why there is nothing to say otherwise. Throws nothing.
std::string outcome_text(const std::filesystem::path& run_folder);

/// Prints where a run's pictures are and how well it did.
void print_outcome(const std::filesystem::path& run_folder);

}  // namespace nbs::cli
