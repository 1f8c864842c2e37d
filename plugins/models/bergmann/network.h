// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "nbs/module.h"

namespace nbs::bergmann {

/// The transposed convolution of kernel 4, stride 2, padding 1, written as a plain 2x2 convolution whose channels are
/// spread over 2x2 pixels, for which fast kernels exist. Weight [4 c + 2 a + b][i][t][u] (of [4 outputs, inputs, 2, 2])
/// is the transposed kernel's [i][c][a + 2 - 2 t][b + 2 - 2 u].
class UpsampleImpl : public torch::nn::Module {
 public:
  UpsampleImpl(std::int64_t inputs, std::int64_t outputs);

  /// [B, inputs, H, W] -> [B, outputs, 2 H, 2 W].
  torch::Tensor forward(const torch::Tensor& map);

 private:
  torch::Tensor weight_;
  torch::Tensor bias_;
};
TORCH_MODULE(Upsample);

/// Table 1 of Bergmann et al. 2018: nine convolutions to a latent vector, LeakyReLU(0.2) after each but the last, and a
/// mirrored decoder. Published for patches of 128; a patch of 64 leaves a smaller map for the last convolution, and one
/// of 256 gets one more halving in front (as Bergmann et al. 2019 do).
class NetworkImpl : public torch::nn::Module {
 public:
  /// `patch_size`: 64, 128 or 256, else throws nbs::Error. `width`: channels of the first layer.
  NetworkImpl(std::int64_t patch_size, std::int64_t width, std::int64_t latent);

  /// [B, 3, p, p] -> [B, 3, p, p].
  torch::Tensor forward(const torch::Tensor& patches);

  /// Draws all parameters anew: weights uniform with the variance that keeps the size of what passes through
  /// LeakyReLU(0.2) (He et al. 2015), biases 0. The source does not say how it starts; with LibTorch's own default this
  /// depth had not left the mean of simple stripes after 600 steps, while this start had fitted them after 100.
  void draw(at::Generator& generator);

 private:
  std::int64_t inner_size_;      // side of the map before the latent vector
  std::int64_t inner_channels_;  // its channels
  std::vector<torch::nn::Conv2d> encoder_;
  torch::nn::Linear squeeze_ = nullptr;
  torch::nn::Linear spread_ = nullptr;
  /// Applies decoder layer i, whichever of the two kinds it is.
  std::vector<std::function<torch::Tensor(const torch::Tensor&)>> decoder_;
};
TORCH_MODULE(Network);

}  // namespace nbs::bergmann
