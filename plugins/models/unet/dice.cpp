// SPDX-License-Identifier: Apache-2.0
#include "dice.h"

#include "nbs/tensor.h"

namespace nbs::unet {

torch::Tensor soft_dice_loss(const torch::Tensor& logits, const torch::Tensor& masks) {
  const auto probability = torch::sigmoid(logits);
  const auto overlap = (probability * masks).sum();
  return 1 - (2 * overlap + 1) / (probability.sum() + masks.sum() + 1);
}

}  // namespace nbs::unet
