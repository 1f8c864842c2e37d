// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/training/inference.h"

namespace nbs::training {

/// Masks images with the models of a run: one, or those of its members (train.members), which count alike.
class Ensemble {
 public:
  /// At least one. Several were each taught all labeled images, or each not all of them.
  explicit Ensemble(std::vector<Inference> models) : models_(std::move(models)) {}

  /// Probability [F + K, S, S] of every pixel of an image [3, S, S] in [0, 1] to be anomalous, by predictor: first of
  /// the fully_taught() ones.
  torch::Tensor probability_by_predictor(const torch::Tensor& image);
  /// F of combined(): how many predictors were taught all labeled images.
  std::int64_t fully_taught() const;
  /// What they say together.
  torch::Tensor combined(const torch::Tensor& by_predictor) const {
    return training::combined(by_predictor, fully_taught());
  }
  /// Of labeled image i of the data set, of which `image` is a view: the mean over the models with a predictor that was
  /// not taught it. Nothing if there is none.
  torch::Tensor out_of_fold(const torch::Tensor& image, std::int64_t i);
  /// Whether there is a predictor that was not taught labeled image i.
  bool leaves_out(std::int64_t i) const;
  /// Whether the predictors have learned from labeled images, so that they know them better than others.
  bool learned() const { return models_.front().learned(); }
  /// Whether the models have autoencoders, so that there is a profile().
  bool has_profiles() const { return models_.front().has_profiles(); }
  /// Inference::profile() of the first model.
  torch::Tensor profile(const torch::Tensor& image) { return models_.front().profile(image); }

 private:
  std::vector<Inference> models_;
};

}  // namespace nbs::training
