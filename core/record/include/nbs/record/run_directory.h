// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "nbs/config/pipeline.h"
#include "nbs/record/diagnostics.h"
#include "nbs/record/provenance.h"
#include "nbs/record/run_result.h"

namespace nbs::record {

enum class RunState {
  finished,     ///< to the last iteration, or stopped by train.patience
  interrupted,  ///< stopped by a signal
  diverged,
  unfinished,  ///< no result yet: waiting, running or killed
  unreadable   ///< there is a result, but it cannot be read
};

/// "finished", "interrupted", "diverged", "unfinished", "unreadable".
const char* state_name(RunState state);

/// The state of a run that has this result.
RunState state_of(const RunResult& result);

/// The folder of a run: which file is where, and how it is made, read and written.
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Makes the folder of a new run, `<parent>/<name>-<hash>` with "-2", "-3", … behind it when that is taken, and
  /// writes the resolved pipeline into it. No two runs ever get the same folder. Throws nbs::Error if the parent is not
  /// writable.
  static RunDirectory create(const std::filesystem::path& parent, const config::Pipeline& pipeline);
  /// The name of the first run's folder of a pipeline; later ones have "-2", "-3", … behind it.
  static std::string stem(const config::Pipeline& pipeline);
  /// The name of the number-th folder (from 1) under `parent`.
  static std::filesystem::path numbered(const std::filesystem::path& parent, const std::string& stem,
                                        std::size_t number);
  /// Every stem() that a folder of this name may belong to.
  static std::vector<std::string> possible_stems(const std::string& name);
  /// Makes exactly this folder for a run; it must not exist yet, or be empty. Throws nbs::Error.
  static RunDirectory use(const std::filesystem::path& folder, const config::Pipeline& pipeline);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path resolved() const { return folder_ / "resolved.toml"; }
  std::filesystem::path provenance() const { return folder_ / "provenance.json"; }
  std::filesystem::path split() const { return folder_ / "split.json"; }
  std::filesystem::path metrics() const { return folder_ / "metrics.jsonl"; }
  std::filesystem::path model() const { return folder_ / "model"; }              ///< a folder
  std::filesystem::path predictions() const { return folder_ / "predictions"; }  ///< a folder
  /// A folder: the labeled images, masked by predictors that were not taught them.
  std::filesystem::path labeled() const { return folder_ / "labeled"; }
  std::filesystem::path result() const { return folder_ / "result.json"; }
  std::filesystem::path diagnostics() const { return folder_ / "diagnostics.json"; }
  std::filesystem::path report() const { return folder_ / "report.html"; }
  std::filesystem::path log() const { return folder_ / "log.txt"; }
  /// What a run that was cut off goes on from; only there while a run is not finished.
  std::filesystem::path checkpoint() const { return folder_ / "checkpoint.nbs"; }
  /// Held by those who write to the folder (FileLock).
  std::filesystem::path lock() const { return folder_ / ".lock"; }

  /// Whether it is the folder of a run: it holds resolved.toml, metrics.jsonl or result.json.
  bool holds_run() const;
  bool has_result() const;
  /// Reads the result to know.
  RunState state() const;
  bool is_finished() const { return state() == RunState::finished; }
  bool has_checkpoint() const;
  /// Whether nothing is left to do: finished, and not cut off while the pictures were written.
  bool is_complete() const;
  /// The result of a run that is complete.
  std::optional<RunResult> complete_result() const;
  /// Whether the run was cut off, so that it may go on in this folder: there is no result, or one that says so, with a
  /// checkpoint to go on from. A diverged run, and one whose result cannot be read, are left alone.
  bool was_cut_off() const;
  /// Whether it is a run of the pipeline with this config::identity_of().
  bool has_identity(const std::string& identity) const;

  /// Throws nbs::Error, a sentence with the file and what to do, if there is no result or it is damaged.
  RunResult read_result() const;
  /// Writes it whole or not at all. Throws nbs::Error.
  void write_result(const RunResult& result) const;
  /// Nothing if there is none, as of runs of older versions. Throws nbs::Error if it is damaged.
  std::optional<Diagnostics> read_diagnostics() const;
  /// Writes it whole or not at all. Throws nbs::Error.
  void write_diagnostics(const Diagnostics& diagnostics) const;
  /// Writes the resolved pipeline in the place of the one before, which may differ in options that change no result.
  void write_resolved(const config::Pipeline& pipeline) const;

  /// Nothing if there is none. Throws nbs::Error if it is damaged.
  std::optional<Provenance> read_provenance() const;
  void write_provenance(const Provenance& provenance) const;

 private:
  std::filesystem::path folder_;
};

/// Reads a file in the form of result.json, which may come from anybody. Throws nbs::Error, a sentence with the file
/// and what to do.
RunResult read_result_file(const std::filesystem::path& file);

/// Everything below a folder that tells of a run, in the order of the paths: folders of runs (or the folder itself, if
/// it is one), and results kept on their own, named *.result.json. Throws nbs::Error if there is no such folder.
std::vector<std::filesystem::path> find_runs(const std::filesystem::path& folder);

}  // namespace nbs::record
