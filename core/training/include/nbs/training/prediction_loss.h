// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/config/sections.h"
#include "nbs/tensor.h"

namespace nbs::training {

/// Eq. 2 on logits [B, H, W] and masks [B, H, W]:
/// -(1/B) sum_b (1/WH) sum_pixels [ y log q + alpha (1 - y) log(1 - q) ], q = sigmoid(logit); differentiable, scalar.
torch::Tensor prediction_loss(const torch::Tensor& logits, const torch::Tensor& masks, double alpha);

/// alpha for the labeled masks [L, S, S]: the option's number, or anomalous over normal pixels ("balanced").
/// Throws nbs::Error if balanced and there is no anomalous or no normal pixel.
double class_balance(const config::TrainOptions& options, const torch::Tensor& masks);

}  // namespace nbs::training
