// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/config/sections.h"
#include "nbs/tensor.h"

namespace nbs::training {

/// Eq. 2 on logits [B, H, W] and masks [B, H, W]:
/// -(1/B) sum_b (1/WH) sum_pixels [ y log q + alpha (1 - y) log(1 - q) ], q = sigmoid(logit); differentiable, scalar.
/// `counted` [B, H, W], 1 or 0: the pixels that the mean of an image is taken over, where not all are (padding). Throws
/// nbs::Error if the logits are not those of that whole batch.
torch::Tensor prediction_loss(const torch::Tensor& logits, const torch::Tensor& masks, double alpha,
                              const torch::Tensor& counted = {});

/// alpha for labeled images with so many anomalous and normal pixels: the option's number, or the one over the other
/// ("balanced"). Throws nbs::Error if balanced and there is no anomalous or no normal pixel.
double class_balance(const config::TrainOptions& options, double anomalous, double normal);

}  // namespace nbs::training
