// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "nbs/record/metrics_file.h"

#include "run_record.h"

// The parts of a run's report, each as HTML; empty where the run has nothing for it.

namespace nbs::report {

std::string heading_section(const RunRecord& run);
std::string expected_section(const RunRecord& run);
std::string score_section(const RunRecord& run);
std::string curve_section(const RunRecord& run, const record::Metrics& metrics);
std::string precision_section(const RunRecord& run);
std::string profile_section(const RunRecord& run);
std::string sampling_section(const RunRecord& run);
std::string gallery_section(const RunRecord& run);
std::string option_section(const RunRecord& run);
std::string provenance_section(const RunRecord& run);

/// Writes the report of a run whose metrics are known.
void write_run_page(const std::filesystem::path& folder, const record::Metrics& metrics);
/// How the run stands, in words: "finished after 300 iterations", "unfinished: 34 of 300 iterations".
std::string standing(const RunRecord& run);
/// Why a finished run has no scores, or no F1: a sentence; empty if it has.
std::string score_remark(const RunRecord& run);
/// The state as a colored label.
std::string state_label(const RunRecord& run);

}  // namespace nbs::report
