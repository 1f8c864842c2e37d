// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include "nbs/module.h"

#include "options.h"

namespace nbs::dilated {

/// 3x3 convolutions of growing dilation, one logit a pixel.
class NetworkImpl : public torch::nn::Module {
 public:
  NetworkImpl(std::int64_t inputs, const Options& options);

  /// [B, C, H, W] -> logits [B, H, W]. `keep`: [B, dropped_channels(), 1, 1] factors of the last features, or
  /// undefined.
  torch::Tensor forward(torch::Tensor features, const torch::Tensor& keep);

  /// Channels of the last features.
  std::int64_t dropped_channels() const { return head_->options.in_channels(); }

  /// Sets the bias so that features of 0 give this probability.
  void set_prior(double probability);

 private:
  std::vector<torch::nn::Conv2d> layers_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  torch::nn::Conv2d head_ = nullptr;
};
TORCH_MODULE(Network);

}  // namespace nbs::dilated
