// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include "nbs/module.h"

#include "options.h"

namespace nbs::unet {

/// Two 3x3 convolutions that keep the size, each with batch normalization (if asked for) and ReLU.
class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(std::int64_t inputs, std::int64_t outputs, bool normalized);

  /// [B, inputs, H, W] -> [B, outputs, H, W].
  torch::Tensor forward(torch::Tensor features);

 private:
  std::vector<torch::nn::Conv2d> convolutions_;
  std::vector<torch::nn::BatchNorm2d> norms_;
};
TORCH_MODULE(Block);

/// U-Net (Ronneberger, Fischer & Brox 2015) with convolutions that keep the size: an encoder of `depth` halvings by
/// maximum pooling, a decoder of 2x2 up-convolutions, and the encoder's features of each size handed across.
class NetworkImpl : public torch::nn::Module {
 public:
  NetworkImpl(std::int64_t inputs, const Options& options);

  /// Images [B, 3, H, W] -> logits [B, H, W], for any H and W: the border is repeated up to a multiple of 2^depth and
  /// cut off again. `keep`: factors [B, dropped_channels(), 1, 1] of the deepest features, or undefined.
  torch::Tensor forward(const torch::Tensor& images, const torch::Tensor& keep);

  /// Channels of the deepest features.
  std::int64_t dropped_channels() const { return deepest_channels_; }

  /// Sets the bias of the last layer so that logits start around this probability.
  void set_prior(double probability);

 private:
  std::int64_t deepest_channels_;
  bool normalized_;
  std::vector<Block> encoder_;  // depth + 1, full size first
  std::vector<torch::nn::Conv2d> up_;
  std::vector<Block> decoder_;
  torch::nn::Conv2d head_ = nullptr;
};
TORCH_MODULE(Network);

}  // namespace nbs::unet
