// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/config/sections.h"
#include "nbs/training/tiling.h"

namespace nbs::training {

/// The loss map [S, S] of one image [3, S, S]: always evaluated as one batch of all tiles, so that the same parameters
/// give the same bits whenever it is done. Throws nbs::NotFiniteError for losses that are not finite.
torch::Tensor loss_map(Autoencoder& autoencoder, const Tiling& tiling, const torch::Tensor& image);

/// A copy of an autoencoder's parameters, never written to again, so shared freely.
using Snapshot = std::shared_ptr<const std::vector<torch::Tensor>>;
Snapshot take_snapshot(Autoencoder& autoencoder);
void restore_snapshot(Autoencoder& autoencoder, const Snapshot& snapshot);

/// The last T parameter sets of one cycle of the autoencoder, oldest first: all that profiles are made of.
class ParameterRing {
 public:
  explicit ParameterRing(std::int64_t length) : length_(length) {}
  void push(Snapshot snapshot);
  void clear() { snapshots_.clear(); }
  /// Takes the place of all that there is; at most `length` of them.
  void assign(const std::vector<Snapshot>& snapshots) { snapshots_.assign(snapshots.begin(), snapshots.end()); }
  bool full() const { return static_cast<std::int64_t>(snapshots_.size()) == length_; }
  const std::deque<Snapshot>& snapshots() const { return snapshots_; }

 private:
  std::int64_t length_;
  std::deque<Snapshot> snapshots_;
};

/// The profile [T, S, S] of an image under the parameter sets, oldest first: what the textbook loop would have gathered
/// while training. Leaves the autoencoder with the last of them.
torch::Tensor replay_profile(Autoencoder& autoencoder, const Tiling& tiling, const std::vector<Snapshot>& snapshots,
                             const torch::Tensor& image);

/// What each of the T maps of a profile must be divided by before it enters the predictor, from their means: the mean
/// of all ("mean"), its own ("map"), or 1. A mean of 0, so of a perfect reconstruction, counts as 1.
std::vector<double> profile_scales(const config::ProfileOptions& options, const std::vector<double>& means);

/// The mean of each map of a profile [T, H, W].
std::vector<double> map_means(const torch::Tensor& profile);

/// `profile` [T, H, W] with map t divided by `scales[t]`, and transformed.
torch::Tensor prepare_profile(const config::ProfileOptions& options, const torch::Tensor& profile,
                              const std::vector<double>& scales);

}  // namespace nbs::training
