// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nbs/tensor.h"

#include "fast_policy.h"

namespace nbs::rl {

/// Writes a state [W, W, 5] to its place.
inline void write_state(const torch::Tensor& state, const FastPolicy& policy, Trace& trace, std::int64_t t) {
  const auto& input = policy.inputs().front();
  torch::from_blob(policy.state(trace, t), state.sizes(), {input.row(), input.channels, 1}, torch::kFloat32)
      .copy_(state);
}

}  // namespace nbs::rl
