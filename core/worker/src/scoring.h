// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>

#include <nlohmann/json.hpp>

#include "nbs/data/sets.h"
#include "nbs/evaluation/scored_image.h"
#include "nbs/training/inference.h"

#include "session.h"

namespace nbs::worker {

/// Probabilities of all images of a run.
struct Predictions {
  torch::Tensor labelled;    ///< [L, S, S]
  torch::Tensor unlabelled;  ///< [U, S, S]
  torch::Tensor held_out;    ///< [H, S, S] if the threshold rule needs them, else [0, S, S]
};

/// Probabilities [count, S, S] of images first … first + count - 1, before the postprocessors.
torch::Tensor raw_probabilities(training::Inference& inference, const training::TrainingImages& images,
                                std::int64_t first, std::int64_t count);

/// Of all images, before the postprocessors; of the held-out ones only if the threshold rule needs them.
Predictions predict_all(training::Inference& inference, const training::TrainingImages& images,
                        const config::EvaluationOptions& options);

/// The same after the chain.
Predictions postprocess_all(const std::vector<std::shared_ptr<Postprocessor>>& chain, const Predictions& raw,
                            const training::TrainingImages& images);

/// The labelled images with their masks and these probabilities [L, S, S].
std::vector<evaluation::ScoredImage> labelled_images(const torch::Tensor& probabilities,
                                                     const training::TrainingImages& images);

/// The threshold by the pipeline's rule, from labelled (or held-out) images only.
double choose_threshold(const config::EvaluationOptions& options, const Predictions& predictions,
                        const training::TrainingImages& images);

/// The scored images with their probabilities [U, S, S], and with their masks where there are any. This opens the masks
/// of the unlabelled images; nothing before it does.
std::vector<evaluation::ScoredImage> open_masks(const torch::Tensor& probabilities, const data::ScoringSet& truth);

/// Scores of the images that have masks, as JSON; null if none has.
nlohmann::ordered_json scores_of(const std::vector<evaluation::ScoredImage>& images, double threshold,
                                 const data::TrainingSet& set);

/// Pictures that could not be written.
struct MissingPictures {
  std::int64_t count = 0;
  std::vector<std::string> reasons;  ///< sentences that name the file, of the first few
};

/// How many pictures write_predictions() writes of these images.
std::int64_t pictures_of(const std::vector<evaluation::ScoredImage>& scored);

/// Writes mask, probability and overlay of each scored image below `folder`. One that cannot be written costs no other.
MissingPictures write_predictions(const std::filesystem::path& folder,
                                  const std::vector<evaluation::ScoredImage>& scored, double threshold,
                                  const training::TrainingImages& images);

}  // namespace nbs::worker
