// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "nbs/module.h"

namespace nbs {

/// Gives every parameter of `module` a new value drawn from `generator`, as LibTorch's own default
/// does from its global one: weights of convolutions and linear layers uniform in +-1/sqrt(fan in),
/// biases too; normalization layers 1 and 0, with running statistics reset. Order: that of
/// module.modules(). Convolution weights are [out, in, kh, kw] (transposed ones [in, out, kh, kw]),
/// fan in = size / size(0). `gain` multiplies the weights: sqrt(6) gives He's initialization,
/// which keeps the size of activations through many ReLU layers.
inline void initialize(torch::nn::Module& module, at::Generator& generator, double gain = 1.0) {
  torch::NoGradGuard no_grad;
  for (const auto& part : module.modules()) {
    auto parameters = part->named_parameters(/*recurse=*/false);
    auto* weight = parameters.find("weight");
    auto* bias = parameters.find("bias");
    if (weight == nullptr) continue;
    if (weight->dim() < 2) {  // a normalization layer
      weight->fill_(1.0);
      if (bias != nullptr) bias->zero_();
      for (auto& buffer : part->named_buffers(/*recurse=*/false)) {
        if (buffer.key() == "running_var") {
          buffer.value().fill_(1);
        } else {
          buffer.value().zero_();
        }
      }
      continue;
    }
    const double bound = 1.0 / std::sqrt(static_cast<double>(weight->numel()) / static_cast<double>(weight->size(0)));
    weight->uniform_(-gain * bound, gain * bound, generator);
    if (bias != nullptr && bias->defined()) bias->uniform_(-bound, bound, generator);
  }
}

}  // namespace nbs
