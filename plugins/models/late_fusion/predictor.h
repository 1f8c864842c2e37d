// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/predictor.h"

#include "dilated/predictor.h"
#include "late_fusion/options.h"
#include "unet/predictor.h"

namespace nbs::late_fusion {

/// Two predictors that learn from the same crops, each on its own: dilated convolutions over loss profiles, and a U-Net
/// over the image. The weighted mean of their logits predicts. Beyond the paper.
class LateFusionPredictor : public Predictor {
 public:
  using Options = late_fusion::Options;

  LateFusionPredictor(const Options& options, Context& context);

  bool needs_profile() const override { return profile_.needs_profile() || image_.needs_profile(); }
  bool needs_image() const override { return profile_.needs_image() || image_.needs_image(); }
  bool is_trainable() const override { return true; }

  /// One step of each; l_pred of the mean of their logits before them.
  double train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) override;
  torch::Tensor logits(const PredictorInput& input) override;

  void save(State& state) const override;
  void load(const State& state) override;

 private:
  double image_share_;
  dilated::DilatedPredictor profile_;
  unet::UnetPredictor image_;
};

}  // namespace nbs::late_fusion
