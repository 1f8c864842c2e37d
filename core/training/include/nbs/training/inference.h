// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/training/trainer.h"

namespace nbs::training {

/// Masks images with what training left: the parameter sets of the autoencoder and the predictor of the best moment.
/// Any image will do, also one that was not there at training time.
class Inference {
 public:
  /// Loads the model's predictor into `components.predictor`. With `dihedral`, a probability is the mean over the
  /// eight flips and quarter turns of what the predictor sees. Throws nbs::Error if the model does not fit the
  /// components.
  Inference(Components components, const config::ProfileOptions& profile, bool dihedral, std::int64_t image_size,
            Model model);

  /// Probability [S, S] of every pixel of an image [3, S, S] in [0, 1] to be anomalous: the mean over the model's
  /// lives.
  torch::Tensor probability(const torch::Tensor& image);
  /// The profile [T, S, S] of an image from the last life, as recorded (neither relative nor normalised nor
  /// transformed).
  torch::Tensor profile(const torch::Tensor& image);

 private:
  torch::Tensor prepared_profile(const Life& life, const torch::Tensor& image);
  torch::Tensor predict(const PredictorInput& input);

  Components components_;
  config::ProfileOptions profile_;
  bool dihedral_;
  Tiling tiling_;
  Model model_;
};

}  // namespace nbs::training
