// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "parameters.h"

namespace nbs::test {

/// A small random image with smooth colors and grain, and log-odds around a step.
struct Scene {
  std::int64_t height;
  std::int64_t width;
  std::vector<float> planes;  // [3, H, W], whole levels of 0..255
  std::vector<float> log_odds;

  crf::Image image() const { return {planes.data(), height, width, 1.0F}; }
  std::size_t pixels() const { return log_odds.size(); }
};

inline Scene random_scene(std::int64_t height, std::int64_t width, std::uint32_t seed, bool gray = false) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Scene scene{height, width, {}, {}};
  const std::int64_t pixels = height * width;
  scene.planes.resize(static_cast<std::size_t>(3 * pixels));
  for (std::int64_t i = 0; i < pixels; ++i) {
    const std::int64_t row = i / width;
    const auto x = static_cast<float>(i % width);
    const auto y = static_cast<float>(row);
    const bool inside = x + y > 0.4F * static_cast<float>(height + width);
    const float grain = 20 * uniform(random);
    for (std::int64_t c = 0; c < 3; ++c) {
      const float color = gray ? 0 : 15 * uniform(random) + 10 * static_cast<float>(c);
      const float level = (inside ? 150.0F : 90.0F) + 20 * std::sin(0.3F * x) + grain + color;
      scene.planes[c * pixels + i] = std::round(std::min(std::max(level, 0.0F), 255.0F));
    }
    scene.log_odds.push_back((inside ? 0.8F : -0.8F) + 2 * uniform(random));
  }
  return scene;
}

}  // namespace nbs::test
