// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/calibration.h"

#include <cstddef>

namespace nbs::evaluation {

namespace {

// Adjacent levels with one share.
struct Pool {
  double anomalous;
  double all;
  std::size_t end;  // of its levels

  double share() const { return anomalous / all; }
};

}  // namespace

std::vector<double> isotonic_shares(const std::vector<double>& anomalous, const std::vector<double>& all) {
  std::vector<Pool> pools;
  for (std::size_t level = 0; level < all.size(); ++level) {
    if (all[level] <= 0) {
      if (!pools.empty()) pools.back().end = level + 1;
      continue;
    }
    pools.push_back({anomalous[level], all[level], level + 1});
    while (pools.size() > 1 && pools[pools.size() - 2].share() >= pools.back().share()) {
      const auto upper = pools.back();
      pools.pop_back();
      auto& lower = pools.back();
      lower.anomalous += upper.anomalous;
      lower.all += upper.all;
      lower.end = upper.end;
    }
  }
  std::vector<double> shares(all.size(), 0);
  std::size_t level = 0;
  while (level < all.size() && all[level] <= 0)
    ++level;
  for (const auto& pool : pools) {
    for (; level < pool.end; ++level)
      shares[level] = pool.share();
  }
  return shares;
}

}  // namespace nbs::evaluation
