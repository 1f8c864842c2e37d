// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "nbs/module.h"

namespace nbs::rl {

/// Color 3, current loss 1, sampling history 1 (paper, 3.1).
inline constexpr std::int64_t kStateChannels = 5;
/// Eight directions and a jump to a new image.
inline constexpr std::int64_t kActions = 9;
inline constexpr std::int64_t kJump = 8;

/// The policy network: stride-2 3x3 convolutions, then two fully connected layers; ReLU between layers.
class PolicyImpl : public torch::nn::Module {
 public:
  /// `window`: side of the states; `channels`: of each convolution; `hidden`: of the first fully connected layer.
  PolicyImpl(std::int64_t window, const std::vector<std::int64_t>& channels, std::int64_t hidden);

  /// States [B, 5, W, W] -> logits [B, 9].
  torch::Tensor forward(const torch::Tensor& states);

  std::int64_t window() const { return window_; }
  const std::vector<torch::nn::Conv2d>& convolutions() const { return convolutions_; }
  const torch::nn::Linear& hidden() const { return hidden_; }
  const torch::nn::Linear& head() const { return head_; }

 private:
  std::int64_t window_;
  std::vector<torch::nn::Conv2d> convolutions_;
  torch::nn::Linear hidden_ = nullptr;
  torch::nn::Linear head_ = nullptr;
};
TORCH_MODULE(Policy);

}  // namespace nbs::rl
