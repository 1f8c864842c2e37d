// SPDX-License-Identifier: Apache-2.0
#include "axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace nbs::report {

namespace {

// Smaller steps would not be normal numbers.
constexpr double kSmallest = 1e-300;
constexpr double kLargest = std::numeric_limits<double>::max();
// A tick is a whole number of steps from 0. Beyond so many of them rounding would be seen.
constexpr double kMostSteps = 1e9;
constexpr int kMostPowers = 10;

// 1, 2 or 5 times a power of ten, at least `rough` but for rounding.
double round_step(double rough) {
  const double power = std::pow(10, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
    const double step = factor * power;
    if (step >= rough * (1 - 1e-9) && step <= kLargest) return step;
  }
  return power;  // 10^308: twice that is no number
}

// floor(log10(value)), as pow() sees it.
int power_below(double value) {
  return static_cast<int>(std::floor(std::log10(value)));
}

// The ticks `factor` * 10^n for every n that `stride` divides.
std::vector<double> scaled_powers(double low, double high, std::initializer_list<double> factors, int stride) {
  std::vector<double> ticks;
  for (int power = power_below(low); power <= power_below(high); ++power) {
    if (power % stride != 0) continue;
    for (const double factor : factors) {
      const double tick = factor * std::pow(10, power);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9) && tick <= kLargest) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace

std::vector<double> round_ticks(double low, double high, int wanted) {
  if (!std::isfinite(low) || !std::isfinite(high) || !(low < high)) return {};
  wanted = std::max(wanted, 3);                       // a step is less than 2.5 / 3 of the range: one fits in
  const double rough = high / wanted - low / wanted;  // the difference itself may be more than a double holds
  if (rough < kSmallest) return {};
  const double step = round_step(rough);
  // Counted in steps, so that rounding does not add up; 0 is exactly 0.
  const double first = std::ceil(low / step - 1e-9);
  const double last = std::floor(high / step + 1e-9);
  if (std::abs(first) > kMostSteps || std::abs(last) > kMostSteps) return {};
  const int count = static_cast<int>(std::min(last - first + 1, wanted + 2.0));
  std::vector<double> ticks;
  ticks.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i)
    ticks.push_back((first + i) * step + 0.0);  // -0 becomes 0
  return ticks;
}

std::vector<double> logarithmic_ticks(double low, double high) {
  if (!std::isfinite(high) || !(low > 0) || !(low < high)) return {};
  auto powers = scaled_powers(low, high, {1}, 1);
  if (powers.size() < 3) return scaled_powers(low, high, {1, 2, 5}, 1);
  if (powers.size() <= kMostPowers) return powers;
  // Powers of which `stride` divides the exponent: one of so many neighbors at most.
  const int stride = static_cast<int>(powers.size() - 1) / (kMostPowers - 1) + 1;
  return scaled_powers(low, high, {1}, stride);
}

std::string tick_text(double value, double step) {
  const double places = std::isfinite(step) && step > 0 ? -std::log10(step) : 0;
  const int decimals = std::max(0, static_cast<int>(std::ceil(places - 1e-9)));
  if (decimals <= 5 && std::abs(value) < 1e6) return fmt::format("{:.{}f}", value, decimals);
  // So many digits that neighbors differ.
  const double digits = value == 0 ? 0 : std::floor(std::log10(std::abs(value))) + std::ceil(places - 1e-9) + 1;
  return fmt::format("{:.{}g}", value, std::clamp(static_cast<int>(digits), 4, 17));
}

AxisRange visible_range(double low, double high) {
  const double largest = std::max(std::abs(low), std::abs(high));
  const double half_width = high / 2 - low / 2;
  if (half_width >= largest * 0.5e-6 && half_width >= 10 * kSmallest) return {low, high};
  const double middle = low + half_width;
  const double margin = std::abs(middle) < 1000 * kSmallest ? 1 : std::abs(middle) * 0.1;
  return {std::max(middle - margin, -kLargest), std::min(middle + margin, kLargest)};
}

double share_of(double value, double low, double high) {
  return (value / 2 - low / 2) / (high / 2 - low / 2);
}

}  // namespace nbs::report
