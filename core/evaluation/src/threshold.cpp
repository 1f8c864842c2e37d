// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/threshold.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "nbs/evaluation/curve.h"
#include "nbs/evaluation/regions.h"

namespace nbs::evaluation {

namespace {

constexpr const char* kNoAnomaly = "no labeled image that a threshold can be chosen on shows an anomaly, so it is 0.5";

bool any_anomaly(const std::vector<CurvePoint>& points) {
  return !points.empty() && points.back().true_positives > 0;
}

double precision(const CurvePoint& point) {
  return static_cast<double>(point.true_positives) / static_cast<double>(point.true_positives + point.false_positives);
}

}  // namespace

ThresholdChoice threshold_by_f1(const std::vector<ScoredImage>& images) {
  const auto points = curve(images);
  if (!any_anomaly(points)) return {0.5, kNoAnomaly};
  return {best_f1(points).threshold, {}};
}

ThresholdChoice threshold_by_recall(const std::vector<ScoredImage>& images, double least) {
  const auto points = curve(images);
  if (!any_anomaly(points)) return {0.5, kNoAnomaly};
  // Recall grows from point to point, and the last has all.
  const auto needed = least * static_cast<double>(points.back().true_positives);
  std::size_t best = points.size();
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (static_cast<double>(points[i].true_positives) < needed) continue;
    if (best == points.size() || precision(points[i]) > precision(points[best])) best = i;
  }
  return {threshold_at(points, best), {}};
}

ThresholdChoice threshold_by_precision(const std::vector<ScoredImage>& images, double least) {
  const auto points = curve(images);
  if (!any_anomaly(points)) return {0.5, kNoAnomaly};
  std::size_t most_found = points.size();
  std::size_t most_precise = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (precision(points[i]) >= least) most_found = i;
    if (precision(points[i]) > precision(points[most_precise])) most_precise = i;
  }
  if (most_found < points.size()) return {threshold_at(points, most_found), {}};
  return {
      threshold_at(points, most_precise),
      fmt::format("a precision of {} cannot be had on the labeled images; the threshold is that of the best, {:.3f}",
                  least, precision(points[most_precise]))};
}

ThresholdChoice threshold_by_false_area(const std::vector<ScoredImage>& images, double area) {
  const auto points = curve(images);
  if (!any_anomaly(points)) return {0.5, kNoAnomaly};
  const double most = area * static_cast<double>(images.size());
  std::size_t allowed = points.size();
  for (std::size_t i = 0; i < points.size() && static_cast<double>(points[i].false_positives) <= most; ++i)
    allowed = i;
  if (allowed < points.size()) return {threshold_at(points, allowed), {}};
  return {
      std::nextafter(1.0, 2.0),
      fmt::format("even the surest pixels of the labeled images hold more than {} normal ones an image, so nothing is "
                  "predicted anomalous",
                  area)};
}

double threshold_by_normal_area(const std::vector<std::vector<float>>& maps, std::int64_t size, std::int64_t area) {
  // A higher threshold predicts a subset of the pixels, so regions only shrink or split: bisection finds the edge.
  const auto small_at = [&](double threshold) {
    return std::all_of(maps.begin(), maps.end(),
                       [&](const std::vector<float>& map) { return largest_region(map, size, threshold) <= area; });
  };
  // Networks that are sure give probabilities of exactly 1, which only a threshold above it leaves out.
  if (!small_at(1)) return std::nextafter(1.0, 2.0);
  double low = 0;
  double high = 1;
  while (high - low > 1e-6) {
    const double middle = (low + high) / 2;
    (small_at(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace nbs::evaluation
