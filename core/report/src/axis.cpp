// SPDX-License-Identifier: Apache-2.0
#include "axis.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace nbs::report {

std::vector<double> round_ticks(double low, double high, int wanted) {
  const double rough = (high - low) / wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough * (1 - 1e-9)) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  // Counted in steps, so that rounding does not add up; 0 is exactly 0.
  const double first = std::ceil(low / step - 1e-9);
  for (double k = first; k * step <= high + 1e-9 * step; ++k)
    ticks.push_back(k * step + 0.0);  // -0 becomes 0
  return ticks;
}

std::vector<double> logarithmic_ticks(double low, double high) {
  const auto ticks_of = [&](const std::vector<double>& factors) {
    std::vector<double> ticks;
    for (int power = static_cast<int>(std::floor(std::log10(low))); std::pow(10, power) <= high; ++power) {
      for (const double factor : factors) {
        const double tick = factor * std::pow(10, power);
        if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push_back(tick);
      }
    }
    return ticks;
  };
  auto ticks = ticks_of({1});
  return ticks.size() >= 3 ? ticks : ticks_of({1, 2, 5});
}

std::string tick_text(double value, double step) {
  const int decimals = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  if (decimals > 5 || std::abs(value) >= 1e6) return fmt::format("{:.4g}", value);
  return fmt::format("{:.{}f}", value, decimals);
}

}  // namespace nbs::report
