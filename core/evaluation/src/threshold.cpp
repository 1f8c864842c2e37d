// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/threshold.h"

#include <algorithm>
#include <cmath>

#include "nbs/evaluation/curve.h"
#include "nbs/evaluation/regions.h"

namespace nbs::evaluation {

double threshold_by_labeled_f1(const std::vector<ScoredImage>& labeled, double slack) {
  return lowest_threshold(curve(labeled), slack);
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
