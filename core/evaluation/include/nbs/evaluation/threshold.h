// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nbs/evaluation/pixel_levels.h"
#include "nbs/evaluation/scored_image.h"

namespace nbs::evaluation {

/// A threshold, and where its rule could not be kept, why, as a sentence.
struct ThresholdChoice {
  double threshold = 0.5;
  std::string unmet;
};

// Rules for images whose masks are known, of which all pixels are counted together. Where the images show no anomalous
// pixel, or there is no image, no rule can be kept and the threshold is 0.5.

/// The middle of the thresholds with a high F1. With few images the best one is an accident, and the F1 of all pixels
/// together follows the image with the largest anomaly. So thresholds t, in steps of equal logit between the lowest and
/// the highest probability, are weighted with g(t)^6, where g is the geometric mean of the F1 of all pixels and the
/// mean F1 of the images that show an anomaly, each over its maximum; the result is the mean of their logits.
ThresholdChoice threshold_by_f1(const std::vector<ScoredImage>& images);

/// The best precision with a recall of at least `least`.
ThresholdChoice threshold_by_recall(const std::vector<ScoredImage>& images, double least);

/// The best recall with a precision of at least `least`; if that cannot be had, the best precision.
ThresholdChoice threshold_by_precision(const std::vector<ScoredImage>& images, double least);

/// The lowest threshold with at most `area` normal pixels an image predicted anomalous, in the mean over the images.
ThresholdChoice threshold_by_false_area(const std::vector<ScoredImage>& images, double area);

/// The threshold at which the share of all pixels that is predicted is as near to `share` as ties allow. So a
/// threshold for the maps of one predictor is carried over to those of another that is less or more sure of the same.
double threshold_by_share(PixelLevels& levels, double share);

/// The smallest threshold, to a millionth, at which no map of an anomaly-free image has a region of more than `area`
/// pixels (Bergmann et al. 2019); just above 1 if only that leaves them out. Masks are not looked at.
double threshold_by_normal_area(const std::vector<ScoredImage>& images, std::int64_t area);

}  // namespace nbs::evaluation
