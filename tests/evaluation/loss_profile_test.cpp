// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/loss_profile.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <doctest/doctest.h>

using namespace nbs;
using doctest::Approx;

namespace {

// All losses of one kind in one map, kept as they are.
struct Brute {
  std::vector<double> losses;

  double mean() const {
    double sum = 0;
    for (const double loss : losses)
      sum += loss;
    return sum / static_cast<double>(losses.size());
  }
  double quantile(double share) const {
    auto sorted = losses;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(std::floor(share * static_cast<double>(sorted.size() - 1)))];
  }
};

void check_summary(const record::LossSummary& found, const Brute& brute) {
  constexpr double kStep = 1.0 / 256;
  CHECK(found.mean == Approx(brute.mean()).epsilon(1e-6));
  CHECK(std::abs(found.lower_quartile - brute.quantile(0.25)) <= kStep * brute.quantile(0.25));
  CHECK(std::abs(found.median - brute.quantile(0.5)) <= kStep * brute.quantile(0.5));
  CHECK(std::abs(found.upper_quartile - brute.quantile(0.75)) <= kStep * brute.quantile(0.75));
}

}  // namespace

TEST_CASE("means and quartiles are those of all losses sorted, in each map, for each kind of pixel") {
  constexpr std::int64_t kMaps = 3;
  constexpr std::int64_t kPixels = 400;
  std::mt19937 random(5);
  evaluation::LossProfiles profiles(kMaps);
  std::vector<Brute> anomalous(kMaps);
  std::vector<Brute> normal(kMaps);
  std::int64_t anomalous_pixels = 0;
  for (int image = 0; image < 7; ++image) {
    std::vector<std::uint8_t> mask(kPixels);
    for (auto& value : mask)
      value = random() % 5 == 0 ? 1 : 0;
    std::vector<float> profile;
    for (std::int64_t t = 0; t < kMaps; ++t) {
      for (const auto value : mask) {
        // Over eight decades, anomalous ones higher.
        const float loss = std::exp(static_cast<float>(random() % 1000) / 100 - (value != 0 ? 6.0F : 12.0F)) *
                           static_cast<float>(t + 1);
        profile.push_back(loss);
        (value != 0 ? anomalous : normal)[static_cast<std::size_t>(t)].losses.push_back(static_cast<double>(loss));
      }
    }
    anomalous_pixels += std::count(mask.begin(), mask.end(), 1);
    profiles.add(profile.data(), mask);
  }
  const auto summary = profiles.summary();
  CHECK(summary.anomalous.pixels == anomalous_pixels);
  CHECK(summary.normal.pixels == 7 * kPixels - anomalous_pixels);
  REQUIRE(summary.anomalous.maps.size() == kMaps);
  REQUIRE(summary.normal.maps.size() == kMaps);
  for (std::size_t t = 0; t < kMaps; ++t) {
    CAPTURE(t);
    check_summary(summary.anomalous.maps[t], anomalous[t]);
    check_summary(summary.normal.maps[t], normal[t]);
  }
}

TEST_CASE("losses of 0, equal losses and huge ones have quartiles, and a kind without pixels has none") {
  evaluation::LossProfiles profiles(1);
  const std::vector<float> losses = {0, 0, 0, 2, 2, 2, 1e30F, 1e30F};
  profiles.add(losses.data(), {0, 0, 0, 0, 0, 0, 0, 0});
  const auto summary = profiles.summary();
  CHECK(summary.anomalous.pixels == 0);
  CHECK(summary.anomalous.maps.empty());
  REQUIRE(summary.normal.maps.size() == 1);
  CHECK(summary.normal.maps[0].lower_quartile < 1e-38);
  CHECK(summary.normal.maps[0].median == Approx(2).epsilon(0.004));
  CHECK(summary.normal.maps[0].upper_quartile == Approx(2).epsilon(0.004));
  CHECK(evaluation::LossProfiles(4).summary().normal.maps.empty());
}
