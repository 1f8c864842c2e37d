// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/tiling.h"

#include <algorithm>
#include <set>

#include "nbs/error.h"
#include "nbs/training/profile.h"

#include "fakes.h"

using nbs::config::TilePattern;
using nbs::training::Tiling;

namespace {

struct Case {
  std::int64_t size;
  std::int64_t patch;
  std::int64_t step;
  std::int64_t offset;
  std::vector<std::int64_t> starts;  // along each axis, by hand
  bool disjoint;
};

const std::vector<Case> kCases = {
    {8, 4, 0, 0, {0, 4}, true},     {8, 8, 0, 0, {0}, true},         {10, 4, 0, 0, {0, 4, 6}, false},
    {8, 4, 0, 2, {0, 2, 4}, false}, {8, 4, 2, 0, {0, 2, 4}, false},  {8, 4, 2, 1, {0, 1, 3, 4}, false},
    {9, 4, 3, 2, {0, 2, 5}, false}, {12, 5, 5, 3, {0, 3, 7}, false}, {6, 4, 1, 0, {0, 1, 2}, false},
};

std::vector<std::pair<Case, TilePattern>> with_both_patterns() {
  std::vector<std::pair<Case, TilePattern>> result;
  for (const auto pattern : {TilePattern::all, TilePattern::checkerboard}) {
    for (const auto& c : kCases)
      result.emplace_back(c, pattern);
  }
  return result;
}

}  // namespace

TEST_CASE("tiles lie where the step and the offset say, with the border covered") {
  for (const auto& c : kCases) {
    CAPTURE(c.size);
    CAPTURE(c.step);
    CAPTURE(c.offset);
    const Tiling tiling(c.size, c.patch, c.step, c.offset);
    std::vector<std::pair<std::int64_t, std::int64_t>> expected;
    for (const auto y : c.starts)
      for (const auto x : c.starts)
        expected.emplace_back(y, x);
    std::vector<std::pair<std::int64_t, std::int64_t>> found;
    for (std::int64_t i = 0; i < tiling.tile_count(); ++i)
      found.push_back(tiling.tile(i));
    std::sort(found.begin(), found.end());
    CHECK(found == expected);
    CHECK(tiling.disjoint() == c.disjoint);
  }
}

TEST_CASE("a checkerboard has the tiles whose row and column add up to an even number, and those that a pixel needs") {
  for (const auto& c : kCases) {
    CAPTURE(c.size);
    CAPTURE(c.step);
    CAPTURE(c.offset);
    const Tiling tiling(c.size, c.patch, c.step, c.offset, TilePattern::checkerboard);
    std::set<std::pair<std::int64_t, std::int64_t>> found;
    for (std::int64_t i = 0; i < tiling.tile_count(); ++i)
      found.insert(tiling.tile(i));
    CHECK(static_cast<std::int64_t>(found.size()) == tiling.tile_count());
    std::set<std::pair<std::int64_t, std::int64_t>> even;
    std::set<std::pair<std::int64_t, std::int64_t>> odd;
    for (std::size_t row = 0; row < c.starts.size(); ++row) {
      for (std::size_t column = 0; column < c.starts.size(); ++column)
        ((row + column) % 2 == 0 ? even : odd).emplace(c.starts[row], c.starts[column]);
    }
    const auto covers = [&](const auto& tiles, std::int64_t y, std::int64_t x) {
      return std::any_of(tiles.begin(), tiles.end(), [&](const auto& tile) {
        return y >= tile.first && y < tile.first + c.patch && x >= tile.second && x < tile.second + c.patch;
      });
    };
    CHECK(std::includes(found.begin(), found.end(), even.begin(), even.end()));
    for (std::int64_t y = 0; y < c.size; ++y) {
      for (std::int64_t x = 0; x < c.size; ++x)
        CHECK(covers(found, y, x));
    }
    for (const auto& tile : found) {
      if (even.count(tile) > 0) continue;
      CHECK(odd.count(tile) > 0);
      bool needed = false;
      for (std::int64_t y = tile.first; y < tile.first + c.patch; ++y) {
        for (std::int64_t x = tile.second; x < tile.second + c.patch; ++x)
          needed = needed || !covers(even, y, x);
      }
      CHECK(needed);
    }
  }
  CHECK(Tiling(256, 32, 16).tile_count() == 225);
  CHECK(Tiling(256, 32, 16, 0, TilePattern::checkerboard).tile_count() == 113);  // 8 x 8 and 7 x 7 between them
}

TEST_CASE("gathered patches are the image's, and a map is the mean of the tiles over each pixel") {
  auto generator = nbs::make_generator(1);
  for (const auto& [each, pattern] : with_both_patterns()) {
    const Case& c = each;
    CAPTURE(c.size);
    CAPTURE(c.step);
    CAPTURE(c.offset);
    const Tiling tiling(c.size, c.patch, c.step, c.offset, pattern);
    const auto image = torch::rand({3, c.size, c.size}, generator);
    const auto patches = tiling.gather(image);
    REQUIRE(patches.size(0) == tiling.tile_count());
    const auto losses = torch::rand({tiling.tile_count(), c.patch, c.patch}, generator);
    auto sum = torch::zeros({c.size, c.size}, torch::kFloat64);
    auto count = torch::zeros({c.size, c.size}, torch::kFloat64);
    bool same = true;
    for (std::int64_t i = 0; i < tiling.tile_count(); ++i) {
      const auto [top, left] = tiling.tile(i);
      for (std::int64_t y = 0; y < c.patch; ++y) {
        for (std::int64_t x = 0; x < c.patch; ++x) {
          sum[top + y][left + x] += losses[i][y][x].item<double>();
          count[top + y][left + x] += 1;
          for (std::int64_t channel = 0; channel < 3; ++channel) {
            same = same && patches[i][channel][y][x].item<float>() == image[channel][top + y][left + x].item<float>();
          }
        }
      }
    }
    CHECK(same);
    CHECK(count.min().item<double>() >= 1);
    const auto map = tiling.assemble(losses).to(torch::kFloat64);
    CHECK((map - sum / count).abs().max().item<double>() < 1e-6);
  }
}

TEST_CASE("the loss map of a whole image is the autoencoder's per-pixel loss, whatever the tiling") {
  nbs::test::LinearAutoencoder autoencoder(3);
  const auto image = nbs::test::small_images(12, 1, 0, 2).images[0];
  const auto whole = autoencoder.pixel_loss(image.unsqueeze(0))[0];
  // This autoencoder looks at single pixels, so tiles cannot matter.
  for (const auto& [patch, step, offset] : {std::tuple{4, 0, 0}, std::tuple{4, 0, 3}, std::tuple{5, 2, 1}}) {
    const Tiling tiling(12, patch, step, offset);
    CHECK(torch::allclose(nbs::training::loss_map(autoencoder, tiling, image), whole, 1e-5, 1e-7));
  }
}

TEST_CASE("tiles that touch a window are those that share a pixel with it") {
  for (const auto& [each, pattern] : with_both_patterns()) {
    const Case& c = each;
    const Tiling tiling(c.size, c.patch, c.step, c.offset, pattern);
    for (const auto& [y, x, height, width] :
         {std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>{0, 0, 1, 1},
          {-3, -2, 5, 4},
          {3, 4, 1, 2},
          {c.size - 1, 0, 6, 2},
          {-5, -5, 5, 5},
          {0, 0, c.size, c.size}}) {
      std::vector<std::int64_t> expected;
      for (std::int64_t i = 0; i < tiling.tile_count(); ++i) {
        const auto [top, left] = tiling.tile(i);
        bool shares = false;
        for (std::int64_t py = top; py < top + c.patch; ++py)
          for (std::int64_t px = left; px < left + c.patch; ++px)
            shares = shares || (py >= y && py < y + height && px >= x && px < x + width);
        if (shares) expected.push_back(i);
      }
      auto found = tiling.tiles_touching(y, x, height, width);
      std::sort(found.begin(), found.end());
      CHECK(found == expected);
    }
  }
}

TEST_CASE("a tiling that cannot be is refused") {
  CHECK_THROWS_AS(Tiling(16, 32), nbs::Error);
  CHECK_THROWS_AS(Tiling(16, 8, 9, 0), nbs::Error);
  CHECK_THROWS_AS(Tiling(16, 8, 4, 4), nbs::Error);
  CHECK_THROWS_AS(Tiling(16, 8, 0, 8), nbs::Error);
}
