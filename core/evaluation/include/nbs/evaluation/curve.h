// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/evaluation/scored_image.h"

namespace nbs::evaluation {

/// Pixels at or above a threshold, counted over all images together.
struct CurvePoint {
  float threshold = 0;               ///< a probability that occurs
  std::int64_t true_positives = 0;   ///< anomalous pixels with probability >= threshold
  std::int64_t false_positives = 0;  ///< normal pixels with probability >= threshold
};

/// One point for every distinct probability, highest first: exact, ties together. Probabilities must be in [0, 1].
/// Time: a radix sort of all pixels.
std::vector<CurvePoint> curve(const std::vector<ScoredImage>& images);

/// Area under the receiver operating characteristic, by trapezoids, which counts ties half; NaN without both classes.
double area_under_roc(const std::vector<CurvePoint>& points);

/// Average precision: the sum of precision times the step in recall; NaN without anomalous pixels.
double average_precision(const std::vector<CurvePoint>& points);

/// F1 = 2 TP / (2 TP + FP + FN), 0 if there are no true positives.
double f1(std::int64_t true_positives, std::int64_t false_positives, std::int64_t false_negatives);

/// The best F1 over all thresholds. `threshold` lies midway between the lowest probability that is predicted anomalous
/// and the next one below, so that the choice does not hang on one pixel. Of equal ones the highest threshold.
struct BestF1 {
  double f1 = 0;
  double threshold = 0.5;
};
BestF1 best_f1(const std::vector<CurvePoint>& points);

/// A threshold from which the pixels counted at point i are predicted: midway to the next lower probability, so that
/// rounding moves no pixel across it.
double threshold_at(const std::vector<CurvePoint>& points, std::size_t i);

}  // namespace nbs::evaluation
