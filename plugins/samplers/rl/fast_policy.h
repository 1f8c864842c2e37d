// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/packed_convolution.h"

#include "policy.h"

namespace nbs::rl {

/// The policy's forward pass for one state at a time, without tensors: a rollout is hundreds of such passes one after
/// the other. Weights are repacked once after each learning step.
class FastPolicy {
 public:
  explicit FastPolicy(const PolicyImpl& policy);

  /// Copies the parameters of `policy`, which must have the same shape as at construction.
  void update(const PolicyImpl& policy);

  /// What a pass writes to, so that several may run at the same time.
  struct Workspace {
    std::vector<std::vector<float>> maps;  // the input of each layer, channels last, with borders of zeros
  };
  Workspace make_workspace() const;

  /// `state`: W x W x 5 floats, channels last. Writes 9 logits. `workspace` is one that this policy made.
  void logits(const float* state, Workspace& workspace, float* logits) const;

 private:
  std::int64_t window_;
  std::vector<PackedConvolution> layers_;  // convolutions, then the two dense layers
  std::size_t convolutions_;               // how many of them
};

}  // namespace nbs::rl
