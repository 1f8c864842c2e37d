// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

namespace nbs::evaluation {

// Floats in [0, 1] have bit patterns that rise with their value and fit in 30 bits, so a probability and a label make
// one 31 bit key, and millions of pixels are sorted exactly in a few linear passes.

inline std::uint32_t pixel_key(float probability, bool anomalous) {
  const float positive = probability + 0.0F;  // -0 becomes +0
  std::uint32_t bits = 0;
  std::memcpy(&bits, &positive, sizeof bits);
  return bits << 1 | (anomalous ? 1U : 0U);
}

inline float key_probability(std::uint32_t key) {
  const std::uint32_t bits = key >> 1;
  float probability = 0;
  std::memcpy(&probability, &bits, sizeof bits);
  return probability;
}

/// Ascending, by least significant digits first.
inline void sort_keys(std::vector<std::uint32_t>& keys) {
  constexpr int kBits = 11;
  std::vector<std::uint32_t> other(keys.size());
  for (int shift = 0; shift < 33; shift += kBits) {
    std::array<std::size_t, (1U << kBits) + 1> starts{};
    const auto digit = [shift](std::uint32_t key) { return key >> shift & ((1U << kBits) - 1); };
    for (const auto key : keys)
      ++starts[digit(key) + 1];
    for (std::size_t i = 1; i < starts.size(); ++i)
      starts[i] += starts[i - 1];
    for (const auto key : keys)
      other[starts[digit(key)]++] = key;
    keys.swap(other);
  }
}

}  // namespace nbs::evaluation
