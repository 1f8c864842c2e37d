// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/precision_recall.h"

#include <cmath>
#include <limits>

#include "nbs/evaluation/curve.h"

namespace nbs::evaluation {

namespace {

constexpr double kVisible = 1.0 / 200;

record::PrecisionRecall precision_recall_of(const CurvePoint& point, std::int64_t anomalous) {
  const auto found = static_cast<double>(point.true_positives);
  const auto predicted = static_cast<double>(point.true_positives + point.false_positives);
  return {static_cast<double>(point.threshold), found / predicted, found / static_cast<double>(anomalous)};
}

// Where all pixels from a threshold on are predicted; precision 1 where there is none, as no prediction is wrong.
class Marked {
 public:
  explicit Marked(double threshold) : at_{threshold, 1, 0} {}
  void see(const CurvePoint& point, std::int64_t anomalous) {
    if (static_cast<double>(point.threshold) < at_.threshold) return;
    const double threshold = at_.threshold;
    at_ = precision_recall_of(point, anomalous);
    at_.threshold = threshold;
  }
  const record::PrecisionRecall& at() const { return at_; }

 private:
  record::PrecisionRecall at_;
};

}  // namespace

std::optional<record::PrecisionRecallCurve> precision_recall(PixelLevels& levels, const record::Scores& scores) {
  if (levels.anomalous() == 0) return std::nullopt;
  record::PrecisionRecallCurve result;
  Marked chosen(scores.threshold.value_or(0.5));
  Marked oracle(scores.oracle.threshold.value_or(0.5));
  CurvePoint point;
  levels.walk([&](const PixelLevel& level) {
    point.threshold = level.probability;
    point.true_positives += level.anomalous;
    point.false_positives += level.normal;
    chosen.see(point, levels.anomalous());
    oracle.see(point, levels.anomalous());
    const auto next = precision_recall_of(point, levels.anomalous());
    const bool is_last = point.true_positives + point.false_positives == levels.pixels();
    if (!result.points.empty() && !is_last) {
      const auto& last = result.points.back();
      if (next.recall - last.recall < kVisible && std::abs(next.precision - last.precision) < kVisible) return true;
    }
    result.points.push_back(next);
    return true;
  });
  result.chosen = chosen.at();
  result.oracle = oracle.at();
  return result;
}

std::optional<record::PrecisionRecallCurve> precision_recall(const std::vector<ScoredImage>& images,
                                                             const record::Scores& scores) {
  PixelLevels levels({}, std::numeric_limits<std::size_t>::max());
  for (const auto& image : images)
    levels.add(image);
  return precision_recall(levels, scores);
}

}  // namespace nbs::evaluation
