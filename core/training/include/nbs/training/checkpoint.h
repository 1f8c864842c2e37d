// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "nbs/config/sections.h"
#include "nbs/training/model.h"
#include "nbs/training/state_io.h"

namespace nbs::training {

/// What is remembered of the best iteration: enough to make the profiles and predictions of that checkpoint later.
struct Checkpoint : Model {
  std::int64_t iteration = -1;
  double loss = 0;  ///< smoothed l_pred; NaN if the predictor does not learn
};

/// Smooths l_pred and tells which checkpoint to keep.
class CheckpointSelector {
 public:
  explicit CheckpointSelector(const config::TrainOptions& options) : options_(options) {}
  /// Takes l_pred of an iteration; returns the smoothed value. The moving average starts at the first value with the
  /// usual correction for its short past (Kingma & Ba 2015), so early values are not favored.
  double smooth(double loss);
  struct Verdict {
    bool keep = false;    ///< this checkpoint should be remembered in place of the one before
    bool lowest = false;  ///< its value is the lowest so far, which patience counts from
  };
  /// Judges a checkpoint with full profiles by its smoothed l_pred.
  Verdict judge(double smoothed);

  /// Forgets all values: those to come are of other predictors.
  void reset();

  void save(StateWriter& writer) const;
  void load(const StateReader& reader);

 private:
  const config::TrainOptions& options_;
  double average_ = 0;
  double weight_ = 0;
  std::optional<double> lowest_;
};

}  // namespace nbs::training
