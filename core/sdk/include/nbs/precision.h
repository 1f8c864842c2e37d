// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <variant>

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include "nbs/convolution_3x3.h"
#include "nbs/error.h"
#include "nbs/tensor.h"

namespace nbs {

/// Rows and columns of zeros around the input of a layer that was made with such numbers. Throws nbs::Error for one
/// that was made with words.
inline torch::ExpandingArray<2> padding_of(const torch::nn::Conv2d& layer) {
  using std::get_if;  // a variant of c10 in LibTorch 1.13, of std in 2.x: both are found through the argument
  const auto* numbers = get_if<torch::ExpandingArray<2>>(&layer->options.padding());
  if (numbers == nullptr) {
    throw Error(
        "apply_layer() takes layers whose padding is given in numbers, not as \"same\" or \"valid\"; make the layer "
        "with "
        "Conv2dOptions::padding(number)");
  }
  return *numbers;
}

/// A convolution of dilation d, stride 1 and a padding of `padding` x d zeros, as one without dilation: pixels whose
/// rows and columns leave the same remainders by d see only each other, so each of the d x d kinds is an image of its
/// own. `x`: [B, C, H, W], channels last; so is the result.
inline torch::Tensor conv2d_by_kinds(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                                     std::int64_t d, std::int64_t padding) {
  const auto whole = [d](std::int64_t size) { return (size + d - 1) / d * d; };
  const std::int64_t height = x.size(2);
  const std::int64_t width = x.size(3);
  const auto padded = torch::constant_pad_nd(x, {0, whole(width) - width, 0, whole(height) - height});
  const auto kinds = padded.permute({0, 2, 3, 1})
                         .reshape({x.size(0), whole(height) / d, d, whole(width) / d, d, x.size(1)})
                         .permute({0, 2, 4, 1, 3, 5})
                         .reshape({-1, whole(height) / d, whole(width) / d, x.size(1)})
                         .permute({0, 3, 1, 2});
  const auto y = torch::conv2d(kinds, weight, bias, 1, padding);
  const auto together = y.permute({0, 2, 3, 1})
                            .reshape({x.size(0), d, d, y.size(2), y.size(3), y.size(1)})
                            .permute({0, 3, 1, 4, 2, 5})
                            .reshape({x.size(0), d * y.size(2), d * y.size(3), y.size(1)})
                            .permute({0, 3, 1, 2});
  return together.slice(2, 0, d * y.size(2) - (whole(height) - height))
      .slice(3, 0, d * y.size(3) - (whole(width) - width))
      .contiguous(torch::MemoryFormat::ChannelsLast);
}

/// A layer on `x`, computed in the numbers of `x`. In float32 on the CPU, 3x3 convolutions that keep the size of their
/// input are Convolution3x3, which is about twice as fast as LibTorch's and differs from it in the last digits. Its
/// parameters stay float32, so that small steps of the optimizer are not lost; where `x` is bfloat16 they are rounded
/// for this one call, and gradients reach the parameters as float32 (mixed precision, Micikevicius et al. 2018;
/// bfloat16 needs no scaling of the loss). `x`: [B, C, H, W].
inline torch::Tensor apply_layer(torch::nn::Conv2d& layer, const torch::Tensor& x) {
  const auto type = x.scalar_type();
  const auto& options = layer->options;
  if (type == torch::kFloat32 && layer->weight.scalar_type() == type && x.is_cpu() && x.dim() == 4 &&
      is_convolution_3x3(layer)) {
    const auto y = Convolution3x3::apply(x, layer->weight, (*options.dilation())[0]);
    return layer->bias.defined() ? y + layer->bias.view({1, -1, 1, 1}) : y;
  }
  if (type == layer->weight.scalar_type()) return layer->forward(x);
  const auto padding = padding_of(layer);
  const auto d = (*options.dilation())[0];
  const auto weight = layer->weight.to(type);
  const auto bias = layer->bias.defined() ? layer->bias.to(type) : layer->bias;
  if (x.is_cpu() && ((*options.dilation())[0] > 1 || (*options.dilation())[1] > 1)) {
    // oneDNN 2.6, that of LibTorch 1.13, gives gradients of such weights in bfloat16 that are not finite, or crashes.
    const bool by_kinds = (*options.dilation())[1] == d && (*options.stride())[0] == 1 && (*options.stride())[1] == 1 &&
                          (*padding)[0] == (*padding)[1] && (*padding)[0] % d == 0 && options.groups() == 1;
    return by_kinds ? conv2d_by_kinds(x, weight, bias, d, (*padding)[0] / d)
                    : layer->forward(x.to(torch::kFloat32)).to(type);
  }
  return torch::conv2d(x, weight, bias, options.stride(), padding, options.dilation(), options.groups());
}
/// The same for a dense layer. `x`: [..., inputs].
inline torch::Tensor apply_layer(torch::nn::Linear& layer, const torch::Tensor& x) {
  const auto type = x.scalar_type();
  if (type == layer->weight.scalar_type()) return layer->forward(x);
  return torch::linear(x, layer->weight.to(type), layer->bias.defined() ? layer->bias.to(type) : layer->bias);
}

}  // namespace nbs
