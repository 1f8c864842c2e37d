// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <string>

namespace nbs {

/// A seeded random source. Draws are written out here, as the standard library's distributions may
/// differ between implementations.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(engine_() >> 11) * 0x1.0p-53; }
  /// Uniform in 0 … bound - 1; bound >= 1. The bias of the multiplication is below 2^-40 for all bounds in use.
  std::int64_t below(std::int64_t bound) { return static_cast<std::int64_t>(uniform() * static_cast<double>(bound)); }
  /// Standard normal (Box and Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }
  std::uint64_t bits() { return engine_(); }

  /// Where the source stands, as a line of decimal numbers: set_state() of it makes any source go on from there.
  std::string state() const;
  /// Throws nbs::Error for anything but what state() gave.
  void set_state(const std::string& state);

 private:
  std::mt19937_64 engine_;
};

}  // namespace nbs
