// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "nbs/base/files.h"
#include "nbs/record/provenance.h"
#include "nbs/training/members.h"

#include "checkpoint_refused.h"

namespace nbs::data {
struct TrainingSet;
}

namespace nbs::worker {

/// What a run depends on. With the same of all, a run that goes on from a checkpoint ends with the same bits.
struct CheckpointOrigin {
  std::string version;   ///< of nbs, LibTorch and each plugin's library
  std::string pipeline;  ///< SHA-256 of config::identity_of() its resolved file
  std::string images;    ///< SHA-256 of what training is given
};

/// "nbs 0.1.0 (1a2b3c), LibTorch 1.13.0, conv 0.1.0 (sha256 …), …".
std::string version_of(const std::string& nbs, const std::string& libtorch,
                       const std::vector<record::PluginRecord>& plugins);
/// `held_out`: as TrainingImages has it.
std::string hash_of(const data::TrainingSet& set, std::int64_t held_out);

/// A checkpoint that was read.
class RunCheckpoint {
 public:
  /// Throws CheckpointRefused unless every byte is as it was written.
  explicit RunCheckpoint(std::filesystem::path file);

  /// With how many threads the run began: sums depend on it, so it goes on with as many.
  std::int64_t threads() const { return threads_; }
  std::uint64_t metrics_length() const { return metrics_length_; }
  double training_seconds() const { return training_seconds_; }
  double total_seconds() const { return total_seconds_; }

  /// Each throws CheckpointRefused if the checkpoint is of another one.
  void require_pipeline(const std::string& pipeline) const;
  void require_version(const std::string& version) const;
  void require_images(const std::string& images) const;
  /// Puts `members` where the run was. Throws CheckpointRefused; the object is then of no use.
  void restore(training::Members& members) const;
  /// Throws CheckpointRefused unless the metrics of exactly the iterations done stand at the start of `metrics`.
  void require_metrics(const std::filesystem::path& metrics, const training::Members& members) const;

 private:
  [[noreturn]] void refuse(const std::string& reason) const;

  std::filesystem::path file_;
  State state_;
  CheckpointOrigin origin_;
  std::int64_t threads_ = 0;
  std::uint64_t metrics_length_ = 0;
  double training_seconds_ = 0;
  double total_seconds_ = 0;
};

/// Writes the checkpoints of a run: one file, of which there is always the last whole one.
class CheckpointWriter {
 public:
  struct Run {
    std::filesystem::path file;
    std::filesystem::path metrics;
    double minutes = 0;  ///< between two checkpoints; 0: none is written
    std::int64_t threads = 0;
    CheckpointOrigin origin;
    std::function<double()> training_seconds;
    std::function<double()> total_seconds;
  };
  explicit CheckpointWriter(Run run) : run_(std::move(run)), last_(std::chrono::steady_clock::now()) {}

  /// Between two iterations: writes one if it is time, or if the run is about to stop. Whatever keeps it from being
  /// written is said once, and the run goes on.
  void look(const training::Members& members, LineFile& metrics, bool stopping);

 private:
  void write(const training::Members& members, LineFile& metrics);

  Run run_;
  std::chrono::steady_clock::time_point last_;
  bool said_ = false;
};

}  // namespace nbs::worker
