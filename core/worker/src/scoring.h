// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include "nbs/data/sets.h"
#include "nbs/evaluation/scored_image.h"
#include "nbs/evaluation/threshold.h"
#include "nbs/record/run_result.h"
#include "nbs/training/inference.h"

#include "session.h"

namespace nbs::worker {

/// Probabilities of labeled images, from which threshold and options are chosen.
struct LabeledMaps {
  torch::Tensor maps;                ///< [M, S, S]
  std::vector<std::int64_t> images;  ///< M labeled images that they are of, 0 … L-1
  /// Whether they were made by predictors that were not taught the image (CrossFit), or that learn nothing. Other maps
  /// promise too much.
  bool honest = false;
};

/// Probabilities of all images of a run.
struct Predictions {
  LabeledMaps labeled;
  torch::Tensor unlabeled;  ///< [U, S, S]
  torch::Tensor held_out;   ///< [H, S, S] if the threshold rule needs them, else [0, S, S]
};

/// Probabilities [count, S, S] of images first … first + count - 1, before the postprocessors.
torch::Tensor raw_probabilities(training::Inference& inference, const training::TrainingImages& images,
                                std::int64_t first, std::int64_t count);

/// Probabilities of the labeled images before the postprocessors: those of the folds, as far as there are any; but
/// where none of these images shows an anomaly, those of the run's own predictor for all labeled images.
LabeledMaps labeled_maps(training::Inference& inference, const training::TrainingImages& images);

/// Of all images, before the postprocessors; of the held-out ones only if the threshold rule needs them.
Predictions predict_all(training::Inference& inference, const training::TrainingImages& images,
                        const config::EvaluationOptions& options);

/// The same after the chain.
Predictions postprocess_all(const std::vector<std::shared_ptr<Postprocessor>>& chain, const Predictions& raw,
                            const training::TrainingImages& images);

/// The images [M, 3, S, S] that the maps are of.
torch::Tensor colors_of(const LabeledMaps& labeled, const training::TrainingImages& images);

/// The labeled images with their masks and these probabilities; `ids`: of all images, if names are wanted.
std::vector<evaluation::ScoredImage> labeled_images(const LabeledMaps& labeled, const training::TrainingImages& images,
                                                    const std::vector<std::string>& ids = {});

/// The threshold by the pipeline's rule, from labeled (or held-out) images only.
evaluation::ThresholdChoice choose_threshold(const config::EvaluationOptions& options, const Predictions& predictions,
                                             const training::TrainingImages& images);

/// What the threshold's rule promises of other images, by the labeled ones; `threshold`: what it chose. Nothing if none
/// of them shows an anomaly.
std::optional<record::ExpectedScores> expected_scores(const config::EvaluationOptions& options,
                                                      const std::vector<evaluation::ScoredImage>& labeled,
                                                      double threshold);

/// The unlabeled images with their probabilities [U, S, S].
std::vector<evaluation::ScoredImage> without_masks(const torch::Tensor& probabilities, const data::ScoringSet& truth);

/// The scored images with their probabilities [U, S, S], and with their masks where there are any. This opens the masks
/// of the unlabeled images; nothing before it does.
std::vector<evaluation::ScoredImage> open_masks(const torch::Tensor& probabilities, const data::ScoringSet& truth);

/// Scores of the images that have masks; nothing if none has.
std::optional<record::Scores> scores_of(const std::vector<evaluation::ScoredImage>& images, double threshold,
                                        const data::TrainingSet& set);

/// How many pictures write_predictions() writes of these images.
std::int64_t pictures_of(const std::vector<evaluation::ScoredImage>& scored);

/// Writes mask, probability and overlay of each scored image, whose colors are [N, 3, S, S], below `folder`. One that
/// cannot be written costs no other. Returns what is missing, if anything is.
std::optional<record::MissingPictures> write_predictions(const std::filesystem::path& folder,
                                                         const std::vector<evaluation::ScoredImage>& scored,
                                                         double threshold, const torch::Tensor& colors);

}  // namespace nbs::worker
