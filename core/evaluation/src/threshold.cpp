// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/threshold.h"

#include "nbs/evaluation/curve.h"
#include "nbs/evaluation/regions.h"

namespace nbs::evaluation {

double threshold_by_labelled_f1(const std::vector<ScoredImage>& labelled) {
  return best_f1(curve(labelled)).threshold;
}

double threshold_by_normal_area(const std::vector<std::vector<float>>& maps, std::int64_t size, std::int64_t area) {
  // A higher threshold predicts a subset of the pixels, so regions only shrink or split: bisection finds the edge.
  double low = 0;
  double high = 1;
  while (high - low > 1e-6) {
    const double middle = (low + high) / 2;
    bool small = true;
    for (const auto& map : maps)
      small = small && largest_region(map, size, middle) <= area;
    (small ? high : low) = middle;
  }
  return high;
}

}  // namespace nbs::evaluation
