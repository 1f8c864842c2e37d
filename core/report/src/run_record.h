// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nbs/config/document.h"
#include "nbs/options.h"
#include "nbs/record/diagnostics.h"
#include "nbs/record/run_directory.h"
#include "nbs/record/run_result.h"

namespace nbs::report {

/// What is known of one run. Everything that its folder lacks, because the run has not got so far, is empty. It has
/// many members because the labels come from the pipeline or the result, whichever is there.
struct RunRecord {
  using State = record::RunState;

  std::filesystem::path folder;  ///< of the run, or the result file itself if that is all there is
  std::string name;
  State state = State::unfinished;
  std::vector<std::string> remarks;  ///< files that could not be read, and why
  std::string dataset;               ///< experiment.dataset
  std::string method;                ///< experiment.method
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> split_seed;
  std::optional<std::int64_t> labeled;
  std::int64_t iterations = 0;          ///< done
  std::optional<std::int64_t> planned;  ///< iterations of a run that nothing ends early
  OptionValues options;                 ///< resolved.toml by dotted names
  std::optional<record::RunResult> result;
  record::Diagnostics diagnostics;  ///< only of read_whole_run(); empty where the run does not say
  record::Provenance provenance;    ///< empty where the run does not say

  /// A score; none if it is undefined (see record::score_of()).
  std::optional<double> score(record::Score score) const;
  /// The scores, or null if predictions were not compared with masks.
  const record::Scores* scores() const;
  /// Whether predictions were compared with masks: there is a score, though others may be undefined.
  bool scored() const { return scores() != nullptr; }
  /// Whether the scored masks have no anomalous pixel at all.
  bool nothing_to_find() const;
  /// Counts for means: finished and scored.
  bool counts() const;
  /// Seconds that the whole run took.
  std::optional<double> total_seconds() const;
  const Value* option(const std::string& name) const;
};

/// The options of a resolved file by dotted names.
OptionValues options_of(const config::Document& document);

/// Reads a run's folder. Throws nbs::Error only if it holds no run at all.
RunRecord read_run(const std::filesystem::path& folder);

/// The same with what explains the run, which takes more memory than all else.
RunRecord read_whole_run(const std::filesystem::path& folder);

/// Reads a result file that was kept without its run. Throws nbs::Error if it cannot be read.
RunRecord read_result_file(const std::filesystem::path& file);

/// Everything that record::find_runs() finds. Throws nbs::Error if the folder does not exist or a kept result cannot be
/// read.
std::vector<RunRecord> read_runs(const std::filesystem::path& folder);

}  // namespace nbs::report
