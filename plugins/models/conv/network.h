// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "nbs/module.h"

namespace nbs::conv {

/// The transposed convolution of kernel 4, stride 2, padding 1 (weight [in, out, 4, 4]) as one plain 2x2 convolution
/// and an interleaving of its channels: the same sums, in a form for which fast kernels exist.
torch::Tensor upsample(const torch::Tensor& map, const torch::Tensor& weight, const torch::Tensor& bias);

/// The kernel of that plain convolution, [4 x out, in, 2, 2]: one part for each kind of result pixel, (even, even),
/// (even, odd), (odd, even), (odd, odd) row and column. Pixel (2i + a, 2j + b) of the result is number (i + a, j + b)
/// of kind (a, b).
torch::Tensor upsampling_kernel(const torch::Tensor& weight);

/// Kinds [B, 4 x C, h + 1, w + 1] to the map [B, C, 2h, 2w], channels last.
torch::Tensor interleave(const torch::Tensor& kinds);
/// The same in LibTorch's own operations, for devices that interleave() cannot reach.
torch::Tensor interleave_slices(const torch::Tensor& kinds);

/// Encoder of stride-2 4x4 convolutions to a 1 x 1 x B bottleneck, mirrored decoder (paper, 3.1 "Autoencoder").
/// LeakyReLU(0.2) between layers. Shortcuts add an encoder level's output to the decoder level of the same size.
class NetworkImpl : public torch::nn::Module {
 public:
  /// `channels`: of the levels, outermost first; patch_size must be divisible by 2^levels.
  /// `shortcuts`: levels (1 = outermost) that are connected.
  NetworkImpl(std::int64_t patch_size, const std::vector<std::int64_t>& channels, std::int64_t bottleneck,
              const std::vector<std::int64_t>& shortcuts);

  /// [B, 3, p, p] -> [B, 3, p, p].
  torch::Tensor forward(const torch::Tensor& patches);

  std::int64_t inner_size() const { return inner_size_; }
  /// Of levels 0 (the patch, never) to the innermost.
  const std::vector<bool>& shortcuts() const { return shortcut_; }
  const std::vector<torch::nn::Conv2d>& encoder() const { return encoder_; }
  const torch::nn::Linear& squeeze() const { return squeeze_; }
  const torch::nn::Linear& spread() const { return spread_; }
  /// Innermost first.
  const std::vector<torch::nn::ConvTranspose2d>& decoder() const { return decoder_; }

 private:
  std::int64_t inner_size_;  // side of the innermost feature map
  std::vector<bool> shortcut_;
  std::vector<torch::nn::Conv2d> encoder_;
  torch::nn::Linear squeeze_ = nullptr;
  torch::nn::Linear spread_ = nullptr;
  std::vector<torch::nn::ConvTranspose2d> decoder_;
  std::int64_t inner_channels_;
};
TORCH_MODULE(Network);

}  // namespace nbs::conv
