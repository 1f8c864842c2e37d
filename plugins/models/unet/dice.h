// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/tensor.h"

namespace nbs::unet {

/// Soft Dice loss of logits [B, H, W] and masks [B, H, W] (1 = anomalous): 1 - (2 sum q y + 1) / (sum q + sum y + 1)
/// with q = sigmoid(logit) and sums over the whole batch, so that an image without an anomaly does not stand for itself
/// (Milletari et al. 2016, without squares in the denominator, as Sudre et al. 2017). In [0, 1], differentiable scalar.
/// The added pixel keeps an all-normal batch from dividing by zero.
torch::Tensor soft_dice_loss(const torch::Tensor& logits, const torch::Tensor& masks);

}  // namespace nbs::unet
