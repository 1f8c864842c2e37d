// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "nbs/evaluation/scored_image.h"
#include "nbs/record/diagnostics.h"
#include "nbs/record/scores.h"
#include "nbs/training/inference.h"
#include "nbs/training/whole_images.h"

namespace nbs::worker {

/// The profiles of the labeled images (without padding), as the kept checkpoint gives them. Nothing without an
/// autoencoder.
std::optional<record::LossProfile> labeled_profile(training::Inference& inference,
                                                   const training::TrainingImages& images,
                                                   const training::WholeImages& whole);

/// The same of unlabeled images whose masks have been opened: all views, or 24 spread evenly over their order. Nothing
/// if no mask has been opened.
std::optional<record::LossProfile> scored_profile(training::Inference& inference,
                                                  const training::TrainingImages& images,
                                                  const training::WholeImages& whole,
                                                  const std::vector<evaluation::ScoredImage>& unlabeled);

/// The precision-recall curve of the images whose masks have been opened.
std::optional<record::PrecisionRecallCurve> curve_of(const std::vector<evaluation::ScoredImage>& unlabeled,
                                                     const std::optional<record::Scores>& scores);

}  // namespace nbs::worker
