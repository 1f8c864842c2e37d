// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "nbs/evaluation/probability_histogram.h"
#include "nbs/evaluation/scored_image.h"
#include "nbs/record/scores.h"

namespace nbs::evaluation {

/// The threshold that a rule chooses on images whose masks are known.
using ThresholdRule = std::function<double(const std::vector<ScoredImage>&)>;

/// What predictors, none of which was taught all labeled images, say of unlabeled images: their pixels at or above the
/// threshold, and below it.
struct UnlabeledPixels {
  ProbabilityHistogram predicted;
  ProbabilityHistogram others;
  std::int64_t images = 0;
  std::int64_t predictors = 0;  ///< each counted every image
};

/// What is to be expected of unlabeled images, from `images`, which are labeled and were masked by predictors that were
/// not taught them. Empty if none of them shows an anomaly.
///
/// Each labeled image is counted at the threshold that `rule` chooses on the others (on all if no other shows an
/// anomaly): by_image. These images alone would say that others are as easy as they are. What the same predictors say
/// of `unlabeled` images tells how sure they are there. The labeled images tell what that is worth: how often a pixel
/// of that probability is anomalous (isotonic_shares(), images weighted by record::image_weights()). Summed over the
/// unlabeled pixels that gives the counts to expect, and precision, recall and F1 follow from them. Estimating accuracy
/// from confidence is an old idea (for example Guillory et al. 2021 for data that differ from the labeled). f1_low and
/// f1_high: record::resampled_interval() over the labeled images, wider by what they cannot tell (docs/experiments.md);
/// 0 and 1 if there is but one, which says nothing of how much images differ.
///
/// Without `unlabeled` images: record::weighted_scores() of by_image and record::f1_interval().
std::optional<record::ExpectedScores> expected_scores(const std::vector<ScoredImage>& images, const ThresholdRule& rule,
                                                      const UnlabeledPixels& unlabeled = {});

}  // namespace nbs::evaluation
