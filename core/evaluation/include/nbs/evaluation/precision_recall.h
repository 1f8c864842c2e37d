// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "nbs/evaluation/pixel_levels.h"
#include "nbs/evaluation/scored_image.h"
#include "nbs/record/diagnostics.h"
#include "nbs/record/scores.h"

namespace nbs::evaluation {

/// Precision and recall of all pixels together, over all thresholds, with those of `scores`, which must be
/// of the same images, marked. Of neighboring points that differ by less than a 200th in both, one is kept. Nothing
/// without anomalous pixels.
std::optional<record::PrecisionRecallCurve> precision_recall(PixelLevels& levels, const record::Scores& scores);
std::optional<record::PrecisionRecallCurve> precision_recall(const std::vector<ScoredImage>& images,
                                                             const record::Scores& scores);

}  // namespace nbs::evaluation
