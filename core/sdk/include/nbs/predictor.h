// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "nbs/component.h"

namespace nbs {

/// What a predictor may be given; what it did not ask for is an undefined tensor. H and W are S for
/// whole images, less for training crops.
struct PredictorInput {
  torch::Tensor profile;  ///< [B, T, H, W]: divided by its own mean (and transformed as the
                          ///< pipeline says)
  torch::Tensor image;    ///< [B, 3, H, W] in [0, 1]
};

/// l_pred (Eq. 2) of logits [B, H, W] and masks [B, H, W] (1 = anomalous), a scalar with gradient.
using PredictionLoss = std::function<torch::Tensor(const torch::Tensor& logits, const torch::Tensor& masks)>;

/// Tells anomalous from normal pixels (paper, 3.1 "Predictor").
class Predictor : public Component {
 public:
  /// What the host takes it for.
  static constexpr Kind kKind = Kind::predictor;

  /// Which inputs it needs. Without a profile, sampler and autoencoder are not needed either.
  virtual bool needs_profile() const = 0;
  virtual bool needs_image() const = 0;  ///< see needs_profile(); one of the two, or both

  /// Whether it has anything to learn from labeled images.
  virtual bool is_trainable() const = 0;

  /// One optimizer step on masks [B, H, W]; returns l_pred before the step. `loss` is Eq. 2; a
  /// predictor may add terms of its own to what it minimizes, but returns Eq. 2 alone.
  virtual double train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) = 0;

  /// Logits [B, H, W]; no gradient, evaluation mode (batch normalization uses its running
  /// statistics). An image's result must not depend on the others in the batch.
  virtual torch::Tensor logits(const PredictorInput& input) = 0;
};

}  // namespace nbs
