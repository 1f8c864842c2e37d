// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/context.h"
#include "nbs/predictor.h"
#include "nbs/predictor_features.h"
#include "nbs/trainable_network.h"

#include "network.h"
#include "options.h"

namespace nbs::unet {

/// The paper's supervised baseline [17]: colors in, mask out, no loss profile.
class UnetPredictor : public Predictor {
 public:
  using Options = unet::Options;

  UnetPredictor(const Options& options, Context& context);

  bool needs_profile() const override { return features_.profile(); }
  bool needs_image() const override { return features_.image(); }
  bool is_trainable() const override { return true; }
  double train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) override;
  torch::Tensor logits(const PredictorInput& input) override;
  void save(State& state) const override { network_.save(state); }
  void load(const State& state) override { network_.load(state); }

 private:
  Context& context_;
  Options options_;
  PredictorFeatures features_;
  TrainableNetwork<Network> network_;
};

}  // namespace nbs::unet
