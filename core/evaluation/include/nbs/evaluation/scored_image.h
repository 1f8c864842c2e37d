// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace nbs::evaluation {

/// An image with its prediction and its truth. Images that are scored together may differ in size.
struct ScoredImage {
  std::string id;
  std::string type;                ///< kind of defect; empty if the data set names none
  std::int64_t height = 0;         ///< H
  std::int64_t width = 0;          ///< W
  std::vector<float> probability;  ///< [H, W] in [0, 1]
  std::vector<std::uint8_t> mask;  ///< [H, W], 1 = anomalous
};

/// Whether its mask has an anomalous pixel.
inline bool shows_anomaly(const ScoredImage& image) {
  return std::any_of(image.mask.begin(), image.mask.end(), [](std::uint8_t value) { return value != 0; });
}

}  // namespace nbs::evaluation
