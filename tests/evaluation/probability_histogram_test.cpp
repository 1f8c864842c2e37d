// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/probability_histogram.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
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

TEST_CASE("a bin is that of the log-odds, also right beside its ends") {
  const auto expected = [](float probability) {
    const double p = probability;
    const double log_odds = std::min(20.0, std::max(-20.0, std::log(p) - std::log1p(-p)));
    return std::min(ProbabilityHistogram::kBins - 1,
                    static_cast<std::size_t>((log_odds + 20) / 40 * static_cast<double>(ProbabilityHistogram::kBins)));
  };
  const auto check = [&](float probability) {
    if (probability > 1 || ProbabilityHistogram::bin_of(probability) == expected(probability)) return;
    CAPTURE(probability);
    CHECK(ProbabilityHistogram::bin_of(probability) == expected(probability));
  };
  for (std::uint32_t bits = 1; bits < 0x3f800000; bits += 9973) {  // floats from 0 to 1, in their order
    float probability;
    std::memcpy(&probability, &bits, sizeof probability);
    check(probability);
  }
  for (std::size_t bin = 1; bin < ProbabilityHistogram::kBins; ++bin) {
    const double end = static_cast<double>(bin) / static_cast<double>(ProbabilityHistogram::kBins) * 40 - 20;
    const auto probability = static_cast<float>(1 / (1 + std::exp(-end)));
    for (const float beside : {std::nextafter(probability, 0.0F), probability, std::nextafter(probability, 2.0F)})
      check(beside);
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
