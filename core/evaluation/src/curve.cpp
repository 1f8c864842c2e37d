// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/curve.h"

#include "curve_sums.h"
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
  RocArea area;
  for (const auto& point : points)
    area.add(point);
  return area.value();
}

double average_precision(const std::vector<CurvePoint>& points) {
  PrecisionSum sum;
  for (const auto& point : points)
    sum.add(point);
  return sum.value();
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
  BestPoint best(points.empty() ? 0 : points.back().true_positives);
  for (const auto& point : points)
    best.add(point);
  return best.value();
}

}  // namespace nbs::evaluation
