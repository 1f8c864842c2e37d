// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/curve.h"

#include <cmath>
#include <limits>

#include "sorted_pixels.h"

namespace nbs::evaluation {

std::vector<CurvePoint> curve(const std::vector<ScoredImage>& images) {
  std::vector<std::uint32_t> keys;
  std::size_t total = 0;
  for (const auto& image : images)
    total += image.probability.size();
  keys.reserve(total);
  for (const auto& image : images) {
    for (std::size_t i = 0; i < image.probability.size(); ++i)
      keys.push_back(pixel_key(image.probability[i], image.mask[i] != 0));
  }
  sort_keys(keys);
  std::vector<CurvePoint> points;
  CurvePoint running;
  for (std::size_t i = keys.size(); i-- > 0;) {
    const bool anomalous = (keys[i] & 1U) != 0;
    running.true_positives += anomalous ? 1 : 0;
    running.false_positives += anomalous ? 0 : 1;
    running.threshold = key_probability(keys[i]);
    if (i == 0 || keys[i - 1] >> 1 != keys[i] >> 1) points.push_back(running);
  }
  return points;
}

double area_under_roc(const std::vector<CurvePoint>& points) {
  if (points.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto positives = static_cast<double>(points.back().true_positives);
  const auto negatives = static_cast<double>(points.back().false_positives);
  if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
  double area = 0;
  CurvePoint before;
  for (const auto& point : points) {
    area += static_cast<double>(point.false_positives - before.false_positives) *
            static_cast<double>(point.true_positives + before.true_positives) / 2;
    before = point;
  }
  return area / positives / negatives;
}

double average_precision(const std::vector<CurvePoint>& points) {
  if (points.empty() || points.back().true_positives == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto positives = static_cast<double>(points.back().true_positives);
  double sum = 0;
  std::int64_t before = 0;
  for (const auto& point : points) {
    const double precision =
        static_cast<double>(point.true_positives) / static_cast<double>(point.true_positives + point.false_positives);
    sum += static_cast<double>(point.true_positives - before) * precision;
    before = point.true_positives;
  }
  return sum / positives;
}

double f1(std::int64_t true_positives, std::int64_t false_positives, std::int64_t false_negatives) {
  if (true_positives == 0) return 0;
  return 2.0 * static_cast<double>(true_positives) /
         static_cast<double>(2 * true_positives + false_positives + false_negatives);
}

double threshold_at(const std::vector<CurvePoint>& points, std::size_t i) {
  const double below = i + 1 < points.size() ? points[i + 1].threshold : 0;
  return (static_cast<double>(points[i].threshold) + below) / 2;  // between neighboring floats there always is a double
}

BestF1 best_f1(const std::vector<CurvePoint>& points) {
  BestF1 best;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& point = points[i];
    const double value =
        f1(point.true_positives, point.false_positives, points.back().true_positives - point.true_positives);
    if (value > best.f1) best = {value, threshold_at(points, i)};
  }
  return best;
}

}  // namespace nbs::evaluation
