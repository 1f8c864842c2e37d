// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

namespace nbs::evaluation {

// The pixels of pictures of predictions, one at a time: what pictures.h makes whole pictures of.

/// A probability as 16 bit gray.
inline std::uint16_t probability_pixel(float probability) {
  // std::lround() would give other bytes for a few probabilities; what is rounded is at least 0.
  // NOLINTNEXTLINE(bugprone-incorrect-roundings)
  return static_cast<std::uint16_t>(std::min(1.0F, std::max(0.0F, probability)) * 65535 + 0.5F);
}

/// One color of the overlay from that of the image, in [0, 1]; half red where predicted.
inline std::uint8_t overlay_pixel(float color, bool red, bool predicted) {
  const float value = color * 255;
  const float shown = predicted ? 0.5F * value + (red ? 127.5F : 0.0F) : value;
  return static_cast<std::uint8_t>(std::min(255.0F, std::max(0.0F, shown + 0.5F)));
}

}  // namespace nbs::evaluation
