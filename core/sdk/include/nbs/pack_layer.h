// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/packed_convolution.h"
#include "nbs/tensor.h"

namespace nbs {

/// Packs the parameters of a network's layer, on any device: `weight` [outputs, …] with the rest in the order rows,
/// columns, input channels (of a convolution of LibTorch: weight.permute({0, 2, 3, 1})), `bias` [outputs].
inline void pack_layer(const torch::Tensor& weight, const torch::Tensor& bias, PackedConvolution& layer) {
  const auto rows = weight.detach().to(torch::kCPU).contiguous();
  const auto shifts = bias.detach().to(torch::kCPU).contiguous();
  layer.pack(rows.data_ptr<float>(), shifts.data_ptr<float>());
}

}  // namespace nbs
