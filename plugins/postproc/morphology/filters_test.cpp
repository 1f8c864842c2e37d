// SPDX-License-Identifier: Apache-2.0
// Against brute force over all pixels, on random maps of many shapes.
#include "filters.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <random>
#include <vector>

#include <doctest/doctest.h>

namespace {

struct Map {
  std::int64_t height;
  std::int64_t width;
  std::vector<float> values;
};

// Values on few levels, so that components of all sizes and exact hits of the threshold occur.
Map random_map(std::int64_t height, std::int64_t width, std::uint32_t seed) {
  std::mt19937 random(seed);
  Map map{height, width, {}};
  for (std::int64_t i = 0; i < height * width; ++i)
    map.values.push_back(static_cast<float>(random() % 9) / 8.0F);
  return map;
}

// The largest or smallest value within the square and the map.
Map extreme(const Map& map, std::int64_t radius, bool largest) {
  Map result = map;
  for (std::int64_t y = 0; y < map.height; ++y) {
    for (std::int64_t x = 0; x < map.width; ++x) {
      float& best = result.values[y * map.width + x];
      for (std::int64_t v = 0; v < map.height; ++v) {
        for (std::int64_t u = 0; u < map.width; ++u) {
          if (std::abs(u - x) > radius || std::abs(v - y) > radius) continue;
          const float value = map.values[v * map.width + u];
          best = largest ? std::max(best, value) : std::min(best, value);
        }
      }
    }
  }
  return result;
}

std::vector<float> without_small(const Map& map, float threshold, std::int64_t min_area, float suppressed) {
  std::vector<float> result = map.values;
  std::vector<bool> seen(result.size());
  for (std::int64_t start = 0; start < map.height * map.width; ++start) {
    std::vector<std::int64_t> component;
    const std::function<void(std::int64_t, std::int64_t)> visit = [&](std::int64_t x, std::int64_t y) {
      if (x < 0 || y < 0 || x >= map.width || y >= map.height) return;
      const std::int64_t i = y * map.width + x;
      if (seen[i] || map.values[i] < threshold) return;
      seen[i] = true;
      component.push_back(i);
      for (int dy = -1; dy <= 1; ++dy) {
        for (int dx = -1; dx <= 1; ++dx)
          visit(x + dx, y + dy);
      }
    };
    visit(start % map.width, start / map.width);
    if (static_cast<std::int64_t>(component.size()) < min_area) {
      for (const std::int64_t i : component)
        result[i] = suppressed;
    }
  }
  return result;
}

const std::vector<std::pair<std::int64_t, std::int64_t>> kSizes = {{1, 1}, {1, 9}, {13, 1}, {7, 11}, {24, 17}};

}  // namespace

TEST_CASE("closing equals brute force over the square, borders included") {
  std::uint32_t seed = 0;
  for (const auto& size : kSizes) {
    const auto& [height, width] = size;
    for (const std::int64_t radius : {0, 1, 2, 5}) {
      CAPTURE(size.first);
      CAPTURE(size.second);
      CAPTURE(radius);
      auto map = random_map(height, width, ++seed);
      const auto expected = extreme(extreme(map, radius, true), radius, false).values;
      const auto before = map.values;
      nbs::morphology::close_gaps(map.values.data(), height, width, radius);
      CHECK(map.values == expected);
      for (std::size_t i = 0; i < before.size(); ++i)
        CHECK(map.values[i] >= before[i]);
    }
  }
}

TEST_CASE("small components are suppressed and nothing else is touched") {
  std::uint32_t seed = 100;
  for (const auto& [height, width] : kSizes) {
    for (const float threshold : {0.5F, 0.75F, 1.0F}) {
      for (const std::int64_t min_area : {0, 1, 2, 4, 30}) {
        auto map = random_map(height, width, ++seed);
        const auto expected = without_small(map, threshold, min_area, 0.25F);
        nbs::morphology::remove_small(map.values.data(), height, width, threshold, min_area, 0.25F);
        CHECK(map.values == expected);
      }
    }
  }
}

TEST_CASE("a crack with a gap survives as one component once the gap is closed") {
  Map map{9, 21, std::vector<float>(9 * 21, 0.1F)};
  for (std::int64_t x = 2; x < 19; ++x)
    map.values[4 * 21 + x] = x == 10 ? 0.2F : 0.9F;
  auto open = map;
  CHECK(nbs::morphology::remove_small(open.values.data(), 9, 21, 0.5F, 10, 0) == 2);
  nbs::morphology::close_gaps(map.values.data(), 9, 21, 1);
  CHECK(map.values[4 * 21 + 10] == 0.9F);
  CHECK(nbs::morphology::remove_small(map.values.data(), 9, 21, 0.5F, 10, 0) == 0);
}
