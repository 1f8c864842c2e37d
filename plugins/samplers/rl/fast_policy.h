// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/packed_convolution.h"

#include "policy.h"

namespace nbs::rl {

/// The input of a layer in memory: a square map, channels last, with a border of zeros if the layer is a convolution.
struct LayerInput {
  std::int64_t side;
  std::int64_t channels;
  std::int64_t border;  ///< pixels on each side

  std::int64_t row() const { return (side + 2 * border) * channels; }  ///< numbers from a row to the next
  std::int64_t middle() const { return border * (row() + channels); }  ///< where the first pixel that is no border is
  std::int64_t numbers() const { return (side + 2 * border) * row(); }
};

/// What each layer was given for several states, and what came out: all that the gradient needs.
struct Trace {
  std::int64_t states = 0;
  std::vector<std::vector<float>> inputs;  ///< of each layer, [states][LayerInput::numbers()]
  std::vector<float> logits;               ///< [states][9]
  std::uint64_t parameters = 0;            ///< FastPolicy::parameters() of the latest pass
};

/// The policy's forward pass for one state at a time, without tensors: a rollout is hundreds of such passes one after
/// the other. Weights are repacked once after each learning step.
class FastPolicy {
 public:
  explicit FastPolicy(const PolicyImpl& policy);

  /// Copies the parameters of `policy`, which must have the same shape as at construction.
  void update(const PolicyImpl& policy);
  /// How often they were copied: a number for the parameters that it has now.
  std::uint64_t parameters() const { return parameters_; }

  /// Of the layers, the convolutions first, then the two dense ones.
  const std::vector<LayerInput>& inputs() const { return inputs_; }
  std::size_t convolutions() const { return convolutions_; }

  Trace make_trace(std::int64_t states) const;
  /// Where state t, W x W x 5 floats, channels last, is to be written: rows of inputs().front().row() numbers.
  float* state(Trace& trace, std::int64_t t) const;
  /// Passes state t through the layers; returns its 9 logits. Several traces may be filled at the same time.
  const float* run(Trace& trace, std::int64_t t) const;

 private:
  std::vector<LayerInput> inputs_;
  std::vector<PackedConvolution> layers_;
  std::size_t convolutions_;  // how many of the layers
  std::uint64_t parameters_ = 0;
};

}  // namespace nbs::rl
