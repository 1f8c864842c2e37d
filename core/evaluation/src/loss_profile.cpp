// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/loss_profile.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace nbs::evaluation {

namespace {

// The bits of a float that is not negative rise with its value. Without the sign, eight bits of exponent and eight of
// the fraction are left: steps of at most a 256th of the value.
constexpr int kDroppedBits = 15;
constexpr std::size_t kLossSteps = std::size_t{1} << 16U;

std::size_t loss_step(float loss) {
  const float positive = loss > 0 ? loss : 0.0F;
  std::uint32_t bits = 0;
  std::memcpy(&bits, &positive, sizeof bits);
  return bits >> kDroppedBits;
}

double start_of_loss(std::size_t step) {
  const auto bits = static_cast<std::uint32_t>(step) << kDroppedBits;
  float start = 0;
  std::memcpy(&start, &bits, sizeof start);
  return start;
}

}  // namespace

LossProfiles::LossProfiles(std::int64_t length) : maps_(static_cast<std::size_t>(length)) {
  for (auto& map : maps_) {
    for (auto& losses : map)
      losses.counts.resize(kLossSteps, 0);
  }
}

void LossProfiles::Losses::add(float loss) {
  ++counts[loss_step(loss)];
  sum += static_cast<double>(loss);
}

void LossProfiles::add(const float* profile, const std::vector<std::uint8_t>& mask) {
  for (const auto value : mask)
    ++pixels_[value != 0 ? 1 : 0];
  for (auto& map : maps_) {
    for (const auto value : mask)
      map[value != 0 ? 1 : 0].add(*profile++);
  }
}

// The losses within a step are taken to lie evenly.
double LossProfiles::Losses::quantile(double share, std::int64_t pixels) const {
  const double rank = share * static_cast<double>(pixels - 1);
  double before = 0;
  for (std::size_t step = 0; step < kLossSteps; ++step) {
    const auto count = static_cast<double>(counts[step]);
    if (count == 0 || before + count <= rank) {
      before += count;
      continue;
    }
    const double start = start_of_loss(step);
    const double end = step + 1 < kLossSteps ? start_of_loss(step + 1) : start;
    return start + (std::isfinite(end) ? (end - start) * (rank - before + 0.5) / (count + 0.5) : 0.0);
  }
  return 0;
}

record::PixelProfile LossProfiles::summary_of(std::size_t kind) const {
  record::PixelProfile profile;
  profile.pixels = pixels_[kind];
  if (profile.pixels == 0) return profile;
  for (const auto& map : maps_) {
    const auto& losses = map[kind];
    const auto quantile = [&](double share) { return losses.quantile(share, profile.pixels); };
    profile.maps.push_back(
        {losses.sum / static_cast<double>(profile.pixels), quantile(0.25), quantile(0.5), quantile(0.75)});
  }
  return profile;
}

record::LossProfile LossProfiles::summary() const {
  return {summary_of(1), summary_of(0)};
}

}  // namespace nbs::evaluation
