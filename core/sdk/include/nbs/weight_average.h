// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "nbs/module.h"
#include "nbs/state.h"

namespace nbs {

/// An exponential moving average of a network's weights and of its normalization statistics, for inference (Polyak &
/// Juditsky 1992). With a handful of images and minibatches of a few crops, one step of the optimizer can turn a good
/// network into a poor one and the next can turn it back; their average does not swing.
///
/// Does not own the network, which must outlive it. A decay of 0 keeps nothing: the live weights are used.
class WeightAverage {
 public:
  /// Of nothing: to be assigned to.
  WeightAverage() = default;

  /// `decay`: 0 ... below 1. The average starts as a copy of `module`, on the device that it is on.
  WeightAverage(const torch::nn::Module& module, double decay) : decay_(decay) {
    if (decay_ <= 0) return;
    for (const auto& parameter : module.parameters())
      live_.push_back(parameter.detach());
    for (const auto& buffer : module.buffers()) {
      if (buffer.is_floating_point()) live_.push_back(buffer);
    }
    for (const auto& tensor : live_)
      average_.push_back(tensor.clone());
  }

  /// After a step of the optimizer. Early on the weight of the past is (1 + n) / (10 + n) where that is less than the
  /// decay, so that the average soon forgets the random start.
  void update() {
    if (decay_ <= 0) return;
    torch::NoGradGuard no_grad;
    ++updates_;
    const auto n = static_cast<double>(updates_);
    const double past = std::min(decay_, (1 + n) / (10 + n));
    for (std::size_t i = 0; i < live_.size(); ++i)
      average_[i].mul_(past).add_(live_[i], 1 - past);
  }

  /// Puts the average into the network for as long as it lives, and the weights that are being trained back at its end.
  class Use {
   public:
    /// `average` must outlive it.
    explicit Use(WeightAverage& average) : average_(average) { average_.exchange(); }
    ~Use() { average_.exchange(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    WeightAverage& average_;
  };

  /// The average and how often it was updated; nothing if the decay is 0.
  void save(State& state) const {
    if (decay_ <= 0) return;
    state.write_integer("average.updates", updates_);
    for (std::size_t i = 0; i < average_.size(); ++i)
      state.write("average." + std::to_string(i), average_[i]);
  }

  /// Throws nbs::Error if what was saved is of another network.
  void load(const State& state) {
    if (decay_ <= 0) return;
    updates_ = state.read_integer("average.updates", 0, std::numeric_limits<std::int64_t>::max());
    for (std::size_t i = 0; i < average_.size(); ++i)
      state.read_into("average." + std::to_string(i), average_[i]);
  }

 private:
  void exchange() {
    torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < live_.size(); ++i) {
      const auto trained = live_[i].clone();
      live_[i].copy_(average_[i]);
      average_[i].copy_(trained);
    }
  }

  double decay_ = 0;
  std::int64_t updates_ = 0;
  std::vector<torch::Tensor> live_;
  std::vector<torch::Tensor> average_;
};

}  // namespace nbs
