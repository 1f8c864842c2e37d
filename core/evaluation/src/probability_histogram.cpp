// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/probability_histogram.h"

#include <algorithm>
#include <cmath>

namespace nbs::evaluation {

namespace {

constexpr double kFarthest = 20;  // log-odds; a float below 1 has at most 16.6

}  // namespace

std::size_t ProbabilityHistogram::bin_of(float probability) {
  const double p = probability;
  const double log_odds = std::clamp(std::log(p) - std::log1p(-p), -kFarthest, kFarthest);
  const auto bin = static_cast<std::size_t>((log_odds + kFarthest) / (2 * kFarthest) * static_cast<double>(kBins));
  return std::min(bin, kBins - 1);
}

}  // namespace nbs::evaluation
