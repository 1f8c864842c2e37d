// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nbs/options.h"

#include "json_access.h"

namespace nbs::report {

/// What is known of one run. Everything that its folder lacks, because the run has not got so far, is empty.
struct RunRecord {
  enum class State {
    finished,     ///< to the last iteration, or stopped by train.patience
    interrupted,  ///< stopped by a signal
    diverged,
    unfinished,  ///< no result yet: waiting, running or killed
    unreadable   ///< a result that is no JSON
  };

  std::filesystem::path folder;  ///< of the run, or the result file itself if that is all there is
  std::string name;
  State state = State::unfinished;
  std::vector<std::string> remarks;  ///< files that could not be read, and why
  std::string dataset;               ///< experiment.dataset
  std::string method;                ///< experiment.method
  std::optional<std::int64_t> seed;
  std::optional<std::int64_t> split_seed;
  std::optional<std::int64_t> labelled;
  std::int64_t iterations = 0;          ///< done
  std::optional<std::int64_t> planned;  ///< train.iterations
  OptionValues options;                 ///< resolved.toml by dotted names
  Json result;
  Json provenance;

  /// A number below "scores" of the result, such as "f1" or "oracle.f1". Precision, recall and F1 are undefined, hence
  /// none, if nothing_to_find().
  std::optional<double> score(const std::string& path) const;
  /// Whether predictions were compared with masks: there is a score, though others may be undefined.
  bool scored() const;
  /// Whether the scored masks have no anomalous pixel at all.
  bool nothing_to_find() const;
  /// Counts for means: finished and scored.
  bool counts() const;
  const Value* option(const std::string& name) const;
};

/// "finished", "interrupted", "diverged", "unfinished", "unreadable".
const char* state_name(RunRecord::State state);

/// Reads a run's folder. Throws nbs::Error only if it holds no run at all.
RunRecord read_run(const std::filesystem::path& folder);

/// Reads a result file that was kept without its run. Throws nbs::Error if it cannot be read.
RunRecord read_result_file(const std::filesystem::path& file);

/// Whether the folder is that of a run: it holds resolved.toml, metrics.jsonl or result.json.
bool is_run(const std::filesystem::path& folder);

/// All runs below the folder (or the run that it is), and kept files named *.result.json, in the order of their paths.
/// Throws nbs::Error if the folder does not exist.
std::vector<RunRecord> read_runs(const std::filesystem::path& folder);

}  // namespace nbs::report
