// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "nbs/evaluation/scored_image.h"
#include "nbs/record/scores.h"

namespace nbs::evaluation {

/// The threshold that a rule chooses on images whose masks are known.
using ThresholdRule = std::function<double(const std::vector<ScoredImage>&)>;

/// What is to be expected of other images, from `images` masked by predictors that were not taught them: each is
/// counted at the threshold that `rule` chooses on the others (on all if no other shows an anomaly), and the counts are
/// put together by record::weighted_scores(). f1_low and f1_high: record::f1_interval(). Empty if no image shows an
/// anomaly.
std::optional<record::ExpectedScores> expected_scores(const std::vector<ScoredImage>& images,
                                                      const ThresholdRule& rule);

}  // namespace nbs::evaluation
