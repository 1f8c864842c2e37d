// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nbs/config/sections.h"
#include "nbs/training/profile.h"

namespace nbs::training {

/// The end of a life of the autoencoder, from which profiles can be made again.
struct Life {
  std::vector<Snapshot> snapshots;     ///< its last T parameter sets, oldest first
  std::vector<torch::Tensor> typical;  ///< typical_loss() [S, S] of each; empty if profiles are not relative
};

/// What is remembered of the best iteration: enough to make the profiles and predictions of that moment later.
struct Moment {
  std::int64_t iteration = -1;
  double loss = 0;          ///< smoothed l_pred; NaN if the predictor does not learn
  std::vector<Life> lives;  ///< the last lives that masks are made from, oldest first; empty without an autoencoder
  std::string predictor;    ///< bytes of Predictor::save
  std::string sampler;      ///< bytes of Sampler::save; empty without one
};

/// Smooths l_pred and tells which moment to keep.
class Selection {
 public:
  explicit Selection(const config::TrainOptions& options) : options_(options) {}
  /// Takes l_pred of an iteration; returns the smoothed value. The moving average starts at the first value with the
  /// usual correction for its short past (Kingma & Ba 2015), so early values are not favoured.
  double smooth(double loss);
  struct Verdict {
    bool keep = false;    ///< this moment should be remembered in place of the one before
    bool lowest = false;  ///< its value is the lowest so far, which patience counts from
  };
  /// Judges a moment with full profiles by its smoothed l_pred.
  Verdict judge(double smoothed);

 private:
  const config::TrainOptions& options_;
  double average_ = 0;
  double weight_ = 0;
  std::optional<double> lowest_;
};

/// The state of a component as bytes, and back. `component` may be any with save() and load().
std::string save_to_bytes(const Component& component);
void load_from_bytes(Component& component, const std::string& bytes);

}  // namespace nbs::training
