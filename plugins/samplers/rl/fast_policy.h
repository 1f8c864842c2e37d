// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "policy.h"

namespace nbs::rl {

/// The policy's forward pass for one state at a time, without tensors. A rollout is hundreds of such passes one after
/// the other, each too small for a general library: its threads would wait for each other longer than they work. Output
/// channels lie along the vector lanes; weights are repacked once after each learning step.
class FastPolicy {
 public:
  explicit FastPolicy(const PolicyImpl& policy);

  /// Copies the parameters of `policy`, which must have the same shape as at construction.
  void update(const PolicyImpl& policy);

  /// `state`: W x W x 5 floats, channels last. Writes 9 logits.
  void logits(const float* state, float* logits);

 private:
  struct Layer {
    std::int64_t inputs;
    std::int64_t outputs;
    std::int64_t side;                // of the output
    std::vector<float> weights;       // [outputs / 16][3][3][inputs][16], zero beyond the last channel
    std::vector<float> biases;        // [outputs rounded up to 16]
    std::vector<float> padded_input;  // [side_in + 2 (+1)][…][inputs], borders zero
    std::int64_t padded_side;
  };
  struct Dense {
    std::int64_t inputs;
    std::int64_t outputs;
    std::vector<float> weights;  // [outputs / 16][inputs][16]
    std::vector<float> biases;
    std::vector<float> result;  // rounded up to 16
  };

  std::int64_t window_;
  std::vector<Layer> layers_;
  std::vector<float> features_;  // output of the last convolution, channels last
  Dense hidden_;
  Dense head_;
};

}  // namespace nbs::rl
