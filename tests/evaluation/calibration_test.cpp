// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/calibration.h"

#include <algorithm>
#include <limits>
#include <random>

#include <doctest/doctest.h>

using doctest::Approx;
using nbs::evaluation::isotonic_shares;
using Numbers = std::vector<double>;

namespace {

// The closed form of isotonic regression: the largest over lower starts of the smallest over higher ends of the mean
// between them.
double max_min(const Numbers& anomalous, const Numbers& all, std::size_t level) {
  double largest = 0;
  for (std::size_t start = 0; start <= level; ++start) {
    double smallest = std::numeric_limits<double>::infinity();
    double found = 0;
    double pixels = 0;
    for (std::size_t end = start; end < all.size(); ++end) {
      found += anomalous[end];
      pixels += all[end];
      if (end >= level) smallest = std::min(smallest, found / pixels);
    }
    largest = std::max(largest, smallest);
  }
  return largest;
}

}  // namespace

TEST_CASE("shares are those of isotonic regression's closed form") {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> unit(0, 1);
  for (int trial = 0; trial < 20; ++trial) {
    Numbers anomalous(12);
    Numbers all(12);
    for (std::size_t level = 0; level < all.size(); ++level) {
      all[level] = 0.1 + unit(random);
      anomalous[level] = all[level] * std::min(1.0, unit(random) * (0.5 + 0.05 * static_cast<double>(level)));
    }
    const auto shares = isotonic_shares(anomalous, all);
    REQUIRE(shares.size() == all.size());
    for (std::size_t level = 0; level < all.size(); ++level)
      CHECK(shares[level] == Approx(max_min(anomalous, all, level)));
  }
}

TEST_CASE("shares that rise already stay, and a level without pixels takes the next lower one") {
  CHECK(isotonic_shares({0, 0, 1, 0, 3, 0}, {0, 4, 4, 0, 4, 0}) == Numbers{0, 0, 0.25, 0.25, 0.75, 0.75});
  CHECK(isotonic_shares({0, 0}, {0, 0}) == Numbers{0, 0});
  CHECK(isotonic_shares({}, {}).empty());
}
