// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/probability_histogram.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace nbs::evaluation {

namespace {

constexpr std::size_t kBins = ProbabilityHistogram::kBins;
constexpr double kFarthest = 20;  // log-odds; a float below 1 has at most 16.6

std::size_t computed_bin(float probability) {
  const double p = probability;
  const double log_odds = std::clamp(std::log(p) - std::log1p(-p), -kFarthest, kFarthest);
  const auto bin = static_cast<std::size_t>((log_odds + kFarthest) / (2 * kFarthest) * static_cast<double>(kBins));
  return std::min(bin, kBins - 1);
}

// Positive floats are in the order of their bits.
float float_of(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
std::uint32_t bits_of(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// The same bins, looked up: two logarithms for each pixel of each predictor's map took a thirtieth of a run's masks.
class Bins {
 public:
  Bins() {
    for (std::size_t bin = 0; bin < kBins; ++bin)
      lowest_[bin] = lowest_of(bin);
    lowest_[kBins] = 2;  // above all
    for (std::size_t head = 0; head < first_.size(); ++head)
      first_[head] = static_cast<std::uint16_t>(computed_bin(float_of(static_cast<std::uint32_t>(head) << kTail)));
  }

  std::size_t of(float probability) const {
    if (!(probability > 0)) return 0;
    if (probability >= 1) return kBins - 1;
    // Floats are dense close to 0, but not close to 1; bins are alike there.
    return probability > 0.5F ? kBins - 1 - lower_half(1 - probability) : lower_half(probability);
  }

 private:
  std::size_t lower_half(float probability) const {
    const auto head = bits_of(probability) >> kTail;
    std::size_t bin = first_[head];
    // Mostly one bin or the next, which is chosen without a branch, as it is random.
    bin += probability >= lowest_[bin + 1] ? 1 : 0;
    while (bin < first_[head + 1] && probability >= lowest_[bin + 1])
      ++bin;
    return bin;
  }

  static constexpr std::uint32_t kTail = 14;         // bits of a float that the table does not tell apart
  static constexpr std::uint32_t kOne = 0x3f800000;  // 1 as bits

  static float lowest_of(std::size_t bin) {
    std::uint32_t low = 0;
    std::uint32_t high = kOne;
    while (low < high) {
      const auto middle = low + (high - low) / 2;
      if (computed_bin(float_of(middle)) < bin) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return float_of(low);
  }

  std::array<float, kBins + 1> lowest_;                   // of each bin
  std::array<std::uint16_t, (kOne >> kTail) + 1> first_;  // the bin of the lowest with these first bits
};

}  // namespace

std::size_t ProbabilityHistogram::bin_of(float probability) {
  static const Bins bins;
  return bins.of(probability);
}

}  // namespace nbs::evaluation
