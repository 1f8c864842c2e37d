// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/precision_recall.h"

#include <cmath>

#include "nbs/evaluation/curve.h"

namespace nbs::evaluation {

namespace {

constexpr double kVisible = 1.0 / 200;

record::PrecisionRecall precision_recall_of(const CurvePoint& point, std::int64_t anomalous) {
  const auto found = static_cast<double>(point.true_positives);
  const auto predicted = static_cast<double>(point.true_positives + point.false_positives);
  return {static_cast<double>(point.threshold), found / predicted, found / static_cast<double>(anomalous)};
}

// Where all pixels from `threshold` on are predicted; precision 1 where there is none, as no prediction is wrong.
record::PrecisionRecall precision_recall_at(const std::vector<CurvePoint>& points, double threshold) {
  record::PrecisionRecall at{threshold, 1, 0};
  for (const auto& point : points) {
    if (static_cast<double>(point.threshold) < threshold) break;
    at = precision_recall_of(point, points.back().true_positives);
  }
  at.threshold = threshold;
  return at;
}

}  // namespace

std::optional<record::PrecisionRecallCurve> precision_recall(const std::vector<ScoredImage>& images,
                                                             const record::Scores& scores) {
  const auto points = curve(images);
  if (points.empty() || points.back().true_positives == 0) return std::nullopt;
  record::PrecisionRecallCurve result;
  for (const auto& point : points) {
    const auto next = precision_recall_of(point, points.back().true_positives);
    if (!result.points.empty() && &point != &points.back()) {
      const auto& last = result.points.back();
      if (next.recall - last.recall < kVisible && std::abs(next.precision - last.precision) < kVisible) continue;
    }
    result.points.push_back(next);
  }
  result.chosen = precision_recall_at(points, scores.threshold.value_or(0.5));
  result.oracle = precision_recall_at(points, scores.oracle.threshold.value_or(0.5));
  return result;
}

}  // namespace nbs::evaluation
