// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "nbs/record/run_directory.h"
#include "nbs/training/trainer.h"

namespace nbs::worker {

/// A finished run whose model another run takes instead of training one. Only what masks are made with may differ
/// between the two: then the result is that which training would have given.
class GivenModel {
 public:
  /// Reads the run's result, which may come from anybody. That the run is finished and was trained by the same options
  /// (config::check_training()) and plugins (record::require_same_plugins()) was checked before. Throws nbs::Error if
  /// the result cannot be read.
  explicit GivenModel(std::filesystem::path run_folder);

  /// Refuses images that are not those of the run: `out` has its split by now. Throws nbs::Error.
  void require_split_of(const record::RunDirectory& out) const;

  /// What training ended with. The curves of training are copied to `out`. Throws nbs::Error if the model or the curves
  /// cannot be read.
  /// Throws nbs::Error unless images and labeled masks are those that the model was trained with, as far as that is
  /// known. `images`: RunResult::images of this run.
  void require_images(const std::string& images) const;
  training::TrainedRun take_over(const record::RunDirectory& out) const;

  /// The name of the run's folder.
  std::string name() const;

 private:
  record::RunDirectory run_;
  record::RunResult result_;
};

}  // namespace nbs::worker
