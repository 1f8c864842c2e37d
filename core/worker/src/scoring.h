// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <vector>

#include "nbs/data/sets.h"
#include "nbs/evaluation/scored_image.h"
#include "nbs/record/run_result.h"
#include "nbs/tensor.h"

namespace nbs::worker {

/// The unlabeled images with their probabilities [U, S, S].
std::vector<evaluation::ScoredImage> without_masks(const torch::Tensor& probabilities, const data::ScoringSet& truth);

/// The scored images with their probabilities [U, S, S], and with their masks where there are any. This opens the masks
/// of the unlabeled images; nothing before it does.
std::vector<evaluation::ScoredImage> open_masks(const torch::Tensor& probabilities, const data::ScoringSet& truth);

/// Those of the images whose masks were opened.
std::vector<evaluation::ScoredImage> with_masks(const std::vector<evaluation::ScoredImage>& images);

/// Scores of the images that have masks; nothing if none has.
std::optional<record::Scores> scores_of(const std::vector<evaluation::ScoredImage>& images, double threshold,
                                        const data::TrainingSet& set);

/// How many pictures write_predictions() writes of these images.
std::int64_t pictures_of(const std::vector<evaluation::ScoredImage>& scored);

/// Writes image, mask, probability and overlay of each scored image below `folder`, and the truth where it is known;
/// `colors` gives the image [3, S, S] of each. One that cannot be written costs no other. Returns what is missing, if
/// anything is.
std::optional<record::MissingPictures> write_predictions(const std::filesystem::path& folder,
                                                         const std::vector<evaluation::ScoredImage>& scored,
                                                         double threshold,
                                                         const std::function<torch::Tensor(std::int64_t)>& colors);

}  // namespace nbs::worker
