// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/probability_histogram.h"

#include <cmath>
#include <numeric>

#include <doctest/doctest.h>

using nbs::evaluation::ProbabilityHistogram;

TEST_CASE("bins rise with the probability and tell apart what is close to 0 and to 1") {
  CHECK(ProbabilityHistogram::bin_of(0.0F) == 0);
  CHECK(ProbabilityHistogram::bin_of(1.0F) == ProbabilityHistogram::kBins - 1);
  CHECK(ProbabilityHistogram::bin_of(0.5F) == ProbabilityHistogram::kBins / 2);
  std::size_t before = 0;
  for (int step = 1; step < 100; ++step) {
    const auto bin = ProbabilityHistogram::bin_of(static_cast<float>(step) / 100);
    CHECK(bin > before);
    before = bin;
  }
  for (const float close : {1e-3F, 1e-4F, 1e-5F, 1e-6F}) {
    CHECK(ProbabilityHistogram::bin_of(close / 2) < ProbabilityHistogram::bin_of(close));
    CHECK(ProbabilityHistogram::bin_of(1 - close / 2) > ProbabilityHistogram::bin_of(1 - close));
  }
}

TEST_CASE("every pixel is counted once") {
  ProbabilityHistogram histogram;
  for (const float probability : {0.0F, 0.25F, 0.25F, 1.0F, std::nextafter(1.0F, 0.0F)})
    histogram.add(probability);
  CHECK(histogram.pixels() == 5);
  const auto& counts = histogram.counts();
  CHECK(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) == 5);
  CHECK(counts[ProbabilityHistogram::bin_of(0.25F)] == 2);
}
