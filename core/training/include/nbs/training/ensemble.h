// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/training/inference.h"

namespace nbs::training {

/// Masks images with the models of a run: one, or those of its members (train.members). Members that leave out the same
/// labeled images count together as one predictor, whose logits are their mean: what is said of a labeled image comes
/// from one such group, and what is said of others from as many as there are folds.
class Ensemble {
 public:
  /// At least one.
  explicit Ensemble(std::vector<Inference> models);

  /// Probability [F + K, S, S] of every pixel of an image [3, S, S] in [0, 1] to be anomalous, by predictor: first of
  /// the fully_taught() one, if there is one.
  torch::Tensor probability_by_predictor(const torch::Tensor& image);
  /// F of combined(), 0 or 1: whether a predictor was taught all labeled images.
  std::int64_t fully_taught() const { return models_.front().left_out(0).empty() ? 1 : 0; }
  /// What they say together.
  torch::Tensor combined(const torch::Tensor& by_predictor) const {
    return training::combined(by_predictor, fully_taught());
  }
  /// Of labeled image i of the data set, of which `image` is a view, by the predictors that were not taught it, as
  /// combined() has it. Nothing if there is none.
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
  std::vector<Inference> models_;  // those of a group follow each other, the fully taught ones first
};

}  // namespace nbs::training
