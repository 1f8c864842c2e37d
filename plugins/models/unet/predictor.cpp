// SPDX-License-Identifier: Apache-2.0
#include "predictor.h"

#include "dice.h"

namespace nbs::unet {

UnetPredictor::UnetPredictor(const Options& options, Context& context)
    : NetworkPredictor(Network(PredictorFeatures(options.inputs, context).channels(), options), options, context),
      dice_(options.dice),
      schedule_(options.dice_schedule) {}

torch::Tensor UnetPredictor::additional_loss(const torch::Tensor& logits, const torch::Tensor& masks) const {
  const double weight = schedule_ == DiceSchedule::rising ? progress() * dice_ : dice_;
  if (weight <= 0) return {};
  return weight * soft_dice_loss(logits, masks);
}

}  // namespace nbs::unet
