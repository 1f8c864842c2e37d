// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/training/trainer.h"

namespace nbs::training {

/// What predictors say together, [S, S], of their probabilities [F + K, S, S]: the mean of the first F, which learned
/// from all labeled images, counts as much as that of the K others, if there are both. Means are taken of logits,
/// log(q / (1 - q)): a network that has learned with few anomalous pixels gives probabilities close to 1 to much that
/// is none, and only logits tell these apart.
torch::Tensor combined(const torch::Tensor& by_predictor, std::int64_t fully_taught);

/// Masks images with a whole model: the parameter sets of the autoencoder and the predictor of the best checkpoint. Any
/// image will do, also one that was not there at training time. A run may have several models: see Ensemble.
class Inference {
 public:
  /// Loads the model's predictor into `components.predictor`. With `dihedral`, a logit is the mean over the eight
  /// flips and quarter turns of what the predictor sees. Throws nbs::Error if the model does not fit the
  /// components.
  Inference(Components components, const config::ProfileOptions& profile, bool dihedral, std::int64_t image_size,
            Model model);

  /// Probability [S, S] of every pixel of an image [3, S, S] in [0, 1] to be anomalous: of the mean logit
  /// over the model's cycles, and over its predictors as combined() says.
  torch::Tensor probability(const torch::Tensor& image);
  /// The same [1 + K, S, S] by predictor: the model's own, then those of the K folds.
  torch::Tensor probability_by_predictor(const torch::Tensor& image);
  /// How many predictors there are, 1 + K.
  std::int64_t predictors() const { return 1 + static_cast<std::int64_t>(model_.folds.size()); }
  /// What one of them says, [S, S]; 0: the model's own.
  torch::Tensor probability_by(std::int64_t predictor, const torch::Tensor& image);
  /// The labeled images of the data set that it was not taught.
  const std::vector<std::int64_t>& left_out(std::int64_t predictor) const;
  /// Of labeled image i of the data set, of which `image` is a view, by the predictors that were not taught it: their
  /// mean. Nothing if all were.
  torch::Tensor out_of_fold(const torch::Tensor& image, std::int64_t i);
  /// Whether there is a predictor that was not taught labeled image i.
  bool leaves_out(std::int64_t i) const { return !predictors_without(i).empty(); }
  /// Whether the predictor has learned from labeled images, so that it knows them better than others.
  bool learned() const { return components_.predictor->is_trainable(); }
  /// Whether the model has an autoencoder, so that there is a profile().
  bool has_profiles() const { return !model_.cycles.empty(); }
  /// The profile [T, S, S] of an image from the last cycle, as recorded (neither relative nor normalized nor
  /// transformed).
  torch::Tensor profile(const torch::Tensor& image);

 private:
  const std::shared_ptr<Predictor>& predictor(std::int64_t number) const;
  std::vector<std::shared_ptr<Predictor>> predictors_without(std::int64_t i) const;
  torch::Tensor prepared_profile(const Cycle& cycle, const torch::Tensor& image);
  torch::Tensor predict(Predictor& predictor, const PredictorInput& input) const;
  torch::Tensor mean_over_cycles(const std::vector<std::shared_ptr<Predictor>>& predictors, const torch::Tensor& image);

  Components components_;
  config::ProfileOptions profile_;
  bool dihedral_;
  Tiling tiling_;
  Model model_;
};

}  // namespace nbs::training
