// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "nbs/torch.h"

namespace nbs {

/// Rows and columns of zeros around the input of a layer that was made with such numbers.
inline torch::ExpandingArray<2> padding_of(const torch::nn::Conv2d& layer) {
  using std::get_if;  // a variant of c10 in LibTorch 1.13, of std in 2.x: both are found through the argument
  const auto* numbers = get_if<torch::ExpandingArray<2>>(&layer->options.padding());
  TORCH_CHECK(numbers, "apply_layer() takes layers whose padding is given in numbers, not as \"same\" or \"valid\"");
  return *numbers;
}

/// A layer on `x`, computed in the numbers of `x`. Its parameters stay float32, so that small steps of the optimizer
/// are not lost; where `x` is bfloat16 they are rounded for this one call, and gradients reach the parameters as
/// float32 (mixed precision, Micikevicius et al. 2018; bfloat16 needs no scaling of the loss). `x`: [B, C, H, W].
inline torch::Tensor apply_layer(torch::nn::Conv2d& layer, const torch::Tensor& x) {
  const auto type = x.scalar_type();
  if (type == layer->weight.scalar_type()) return layer->forward(x);
  const auto& options = layer->options;
  const auto bias = layer->bias.defined() ? layer->bias.to(type) : layer->bias;
  return torch::conv2d(x, layer->weight.to(type), bias, options.stride(), padding_of(layer), options.dilation(),
                       options.groups());
}
/// The same for a dense layer. `x`: [..., inputs].
inline torch::Tensor apply_layer(torch::nn::Linear& layer, const torch::Tensor& x) {
  const auto type = x.scalar_type();
  if (type == layer->weight.scalar_type()) return layer->forward(x);
  return torch::linear(x, layer->weight.to(type), layer->bias.defined() ? layer->bias.to(type) : layer->bias);
}

}  // namespace nbs
