// SPDX-License-Identifier: Apache-2.0
#include "policy.h"

namespace nbs::rl {

PolicyImpl::PolicyImpl(std::int64_t window, const std::vector<std::int64_t>& channels, std::int64_t hidden)
    : window_(window) {
  std::int64_t inputs = kStateChannels;
  std::int64_t side = window;
  for (const auto outputs : channels) {
    convolutions_.emplace_back(torch::nn::Conv2dOptions(inputs, outputs, 3).stride(2).padding(1));
    register_module("convolution" + std::to_string(convolutions_.size()), convolutions_.back());
    inputs = outputs;
    side = (side - 1) / 2 + 1;
  }
  hidden_ = register_module("hidden", torch::nn::Linear(inputs * side * side, hidden));
  head_ = register_module("head", torch::nn::Linear(hidden, kActions));
}

torch::Tensor PolicyImpl::forward(const torch::Tensor& states) {
  auto features = states;
  for (auto& convolution : convolutions_)
    features = convolution->forward(features).relu_();
  // Flattened with channels last, which is how the features lie in memory.
  features = features.permute({0, 2, 3, 1}).flatten(1);
  return head_->forward(hidden_->forward(features).relu_());
}

}  // namespace nbs::rl
