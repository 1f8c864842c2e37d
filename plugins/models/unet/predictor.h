// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/network_predictor.h"

#include "network.h"
#include "options.h"

namespace nbs::unet {

/// The paper's supervised baseline: a U-Net from image to mask.
class UnetPredictor : public NetworkPredictor<Network> {
 public:
  using Options = unet::Options;

  UnetPredictor(const Options& options, Context& context);

 protected:
  torch::Tensor additional_loss(const torch::Tensor& logits, const torch::Tensor& masks) const override;

 private:
  double dice_;
  DiceSchedule schedule_;
};

}  // namespace nbs::unet
