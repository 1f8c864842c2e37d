// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nbs/config/sections.h"
#include "nbs/evaluation/expected.h"
#include "nbs/evaluation/pixel_levels.h"
#include "nbs/evaluation/threshold.h"
#include "nbs/postprocessor.h"
#include "nbs/record/scores.h"

#include "labeled_maps.h"
#include "map_store.h"

namespace nbs::worker {

/// The maps of a run's images behind a chain of postprocessors, and the threshold that goes with them. The rule chooses
/// a threshold on the labeled images' maps. Where those are of the folds' predictors, it is carried over to what
/// all predictors say together, which is less sure of the same pixels: as large a share of the unlabeled images is to
/// be predicted as the folds' predictors, each alone, predict at the rule's threshold.
class ChainedMaps {
 public:
  using Chain = std::vector<std::shared_ptr<Postprocessor>>;

  /// `labeled`: before the chain. `folder`: of temporary files, in which what grows with the number of images is kept.
  /// Options and images must outlive the object.
  ChainedMaps(const config::EvaluationOptions& options, Chain chain, const LabeledMaps& labeled,
              const training::WholeImages& images, const std::filesystem::path& folder);

  /// Adds the next unlabeled image; `by_predictor`: [F + K, H, W], as Ensemble gives it.
  void add_unlabeled(const torch::Tensor& by_predictor);
  /// Adds the next held-out image.
  void add_held_out(const torch::Tensor& by_predictor);

  /// For the labeled images' maps.
  const evaluation::ThresholdChoice& labeled_threshold() const { return choice_; }
  /// For all others, once all were added. Throws nbs::Error if the rule needs held-out images and there are none.
  double threshold();
  /// What is to be expected of other images; nothing if the labeled images' maps are not honest, or show no anomaly.
  std::optional<record::ExpectedScores> expected(const std::vector<evaluation::ScoredImage>& labeled);

  const LabeledMaps& labeled() const { return labeled_; }
  const MapStore& unlabeled() const { return unlabeled_; }

 private:
  bool asks_folds() const;
  bool carries_over() const;

  const config::EvaluationOptions& options_;
  const training::WholeImages& images_;
  Chain chain_;
  LabeledMaps labeled_;
  evaluation::ThresholdChoice choice_;
  MapStore unlabeled_;
  evaluation::PixelLevels levels_;  // of the unlabeled images, if the threshold is carried over
  std::vector<evaluation::ScoredImage> held_out_;
  evaluation::UnlabeledPixels by_folds_;  // what the folds' predictors say of unlabeled images, each alone
};

}  // namespace nbs::worker
