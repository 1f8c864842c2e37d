// SPDX-License-Identifier: Apache-2.0
#include "predictor.h"

#include "dice.h"

namespace nbs::unet {

UnetPredictor::UnetPredictor(const Options& options, Context& context)
    : NetworkPredictor(Network(PredictorFeatures(options.inputs, context).channels(), options), options, context),
      dice_(options.dice) {}

torch::Tensor UnetPredictor::additional_loss(const torch::Tensor& logits, const torch::Tensor& masks) const {
  if (dice_ <= 0) return {};
  return dice_ * soft_dice_loss(logits, masks);
}

}  // namespace nbs::unet
