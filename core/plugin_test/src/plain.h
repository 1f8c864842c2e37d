// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/autoencoder.h"
#include "nbs/context.h"
#include "nbs/draw.h"
#include "nbs/predictor.h"
#include "nbs/sampler.h"

// The simplest components that train: what stands beside the plugin that is tried in a run.

namespace nbs::plugin_test {

/// Uniformly random patches.
class PlainSampler : public Sampler {
 public:
  explicit PlainSampler(Context& context) : draw_(context.generator()) {}
  Rollout sample(Scene& scene, std::int64_t count) override;

 private:
  Draw draw_;
};

/// Reconstructs a pixel as gain x pixel + shift, each color with its own two numbers; plain gradient descent.
class PlainAutoencoder : public Autoencoder {
 public:
  explicit PlainAutoencoder(Context& context);
  void reset() override;
  double train_step(const torch::Tensor& patches) override;
  torch::Tensor pixel_loss(const torch::Tensor& patches) override;
  std::vector<torch::Tensor> state() override { return {gain_, shift_}; }
  void save(State& state) const override;
  void load(const State& state) override;

 private:
  Context& context_;
  torch::Tensor gain_;   // [3, 1, 1]
  torch::Tensor shift_;  // [3, 1, 1]
};

/// logit = slope x mean of the profile + shift; plain gradient descent.
class PlainPredictor : public Predictor {
 public:
  PlainPredictor();
  bool needs_profile() const override { return true; }
  bool needs_image() const override { return false; }
  bool is_trainable() const override { return true; }
  double train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) override;
  torch::Tensor logits(const PredictorInput& input) override;
  void save(State& state) const override;
  void load(const State& state) override;

 private:
  torch::Tensor forward(const PredictorInput& input) const;
  torch::Tensor parameters_;  // [2]
};

}  // namespace nbs::plugin_test
