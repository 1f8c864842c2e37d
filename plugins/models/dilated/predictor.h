// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/context.h"
#include "nbs/predictor.h"
#include "nbs/trainable_network.h"

#include "network.h"
#include "options.h"

namespace nbs::dilated {

/// The paper's predictor: dilated convolutions over loss profiles.
class DilatedPredictor : public Predictor {
 public:
  using Options = dilated::Options;

  DilatedPredictor(const Options& options, Context& context);

  bool needs_profile() const override { return profile_; }
  bool needs_image() const override { return image_; }
  bool learns() const override { return true; }
  double learn(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) override;
  torch::Tensor logits(const PredictorInput& input) override;
  void save(State& state) const override { network_.save(state); }
  void load(const State& state) override { network_.load(state); }

 private:
  torch::Tensor prepare(const PredictorInput& input) const;

  Context& context_;
  Options options_;
  bool profile_;
  bool image_;
  TrainableNetwork<Network> network_;
};

}  // namespace nbs::dilated
