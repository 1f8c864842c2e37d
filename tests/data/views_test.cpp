// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/views.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "nbs/data/stitched_map.h"

using namespace nbs;
using data::PixelSize;
using data::Resize;
using data::ViewPlan;
using doctest::Approx;

namespace {

data::DataOptions options_of(Resize resize, std::int64_t size, double overlap = 0.25) {
  data::DataOptions options;
  options.resize = resize;
  options.image_size = size;
  options.tile_overlap = overlap;
  return options;
}

// Sizes around all that can go wrong: a line, less than a view, a view, one more, and views that nearly coincide.
const std::vector<PixelSize> kSizes = {{1, 1},   {1, 90},  {90, 1},  {16, 16}, {15, 17}, {17, 16},
                                       {32, 31}, {29, 28}, {40, 64}, {97, 33}, {20, 21}, {100, 16}};

std::vector<float> random_pixels(PixelSize size) {
  std::mt19937 engine(static_cast<unsigned>(size.height * 1000 + size.width));
  std::vector<float> pixels(static_cast<std::size_t>(size.height * size.width));
  std::generate(pixels.begin(), pixels.end(), [&] { return static_cast<float>(engine() % 1000) / 1000; });
  return pixels;
}

// What a view shows, its padding filled with `padding`.
std::vector<float> shown(const std::vector<float>& pixels, const ViewPlan& plan, std::int64_t index, float padding) {
  const auto view = plan.view(index);
  const auto size = plan.view_size();
  std::vector<float> square(static_cast<std::size_t>(size * size), padding);
  for (std::int64_t y = 0; y < view.height; ++y) {
    for (std::int64_t x = 0; x < view.width; ++x)
      square[static_cast<std::size_t>(y * size + x)] =
          pixels[static_cast<std::size_t>((view.y + y) * plan.size().width + view.x + x)];
  }
  return square;
}

// The mean over the pixels at most `radius` away that exist; what a network does whose convolutions are not padded with
// anything that counts.
std::vector<float> box_filtered(const std::vector<float>& pixels, PixelSize size, PixelSize inside, int radius) {
  std::vector<float> filtered(pixels.size(), -7);
  for (std::int64_t y = 0; y < inside.height; ++y) {
    for (std::int64_t x = 0; x < inside.width; ++x) {
      double sum = 0;
      int count = 0;
      for (auto v = std::max<std::int64_t>(0, y - radius); v <= std::min(inside.height - 1, y + radius); ++v) {
        for (auto u = std::max<std::int64_t>(0, x - radius); u <= std::min(inside.width - 1, x + radius); ++u) {
          sum += pixels[static_cast<std::size_t>(v * size.width + u)];
          ++count;
        }
      }
      filtered[static_cast<std::size_t>(y * size.width + x)] = static_cast<float>(sum / count);
    }
  }
  return filtered;
}

}  // namespace

TEST_CASE("views lie in the image, cover it, and overlap as much as is wanted") {
  for (const auto size : kSizes) {
    for (const double overlap : {0.0, 0.1, 0.25, 0.5}) {
      CAPTURE(size.height);
      CAPTURE(size.width);
      CAPTURE(overlap);
      const ViewPlan plan(size, options_of(Resize::tiles, 16, overlap));
      CHECK(plan.size() == size);
      std::vector<int> covered(static_cast<std::size_t>(size.height * size.width), 0);
      for (std::int64_t i = 0; i < plan.count(); ++i) {
        const auto view = plan.view(i);
        REQUIRE(view.y >= 0);
        REQUIRE(view.x >= 0);
        REQUIRE(view.y + view.height <= size.height);
        REQUIRE(view.x + view.width <= size.width);
        CHECK(view.height == std::min<std::int64_t>(16, size.height));
        CHECK(view.width == std::min<std::int64_t>(16, size.width));
        for (auto y = view.y; y < view.y + view.height; ++y) {
          for (auto x = view.x; x < view.x + view.width; ++x)
            ++covered[static_cast<std::size_t>(y * size.width + x)];
        }
        if (i % plan.columns() > 0) CHECK(plan.view(i - 1).x + 16 - view.x >= static_cast<std::int64_t>(16 * overlap));
        if (i >= plan.columns())
          CHECK(plan.view(i - plan.columns()).y + 16 - view.y >= static_cast<std::int64_t>(16 * overlap));
      }
      CHECK(*std::min_element(covered.begin(), covered.end()) >= 1);
    }
  }
}

TEST_CASE("no more views than the overlap needs") {
  // 16 + k * 12 pixels are k + 1 views that overlap by four.
  for (const auto& [length, count] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1, 1}, {16, 1}, {17, 2}, {28, 2}, {29, 3}, {40, 3}, {41, 4}}) {
    CAPTURE(length);
    const ViewPlan plan({length, 16}, options_of(Resize::tiles, 16));
    CHECK(plan.rows() == count);
    CHECK(plan.count() == count);
  }
  CHECK(ViewPlan({3000, 4000}, options_of(Resize::tiles, 256)).count() == 16 * 21);
}

TEST_CASE("weights of a pixel sum to one, are never negative, and the outer quarter of an overlap counts nothing") {
  for (const auto size : kSizes) {
    for (const double overlap : {0.0, 0.1, 0.25, 0.5}) {
      CAPTURE(size.height);
      CAPTURE(size.width);
      CAPTURE(overlap);
      const ViewPlan plan(size, options_of(Resize::tiles, 16, overlap));
      std::vector<double> sums(static_cast<std::size_t>(size.height * size.width), 0);
      const auto margin = static_cast<std::int64_t>(16 * overlap) / 4;
      for (std::int64_t i = 0; i < plan.count(); ++i) {
        const auto view = plan.view(i);
        const auto down = plan.weights_down(i / plan.columns());
        const auto across = plan.weights_across(i % plan.columns());
        REQUIRE(static_cast<std::int64_t>(down.size()) == view.height);
        REQUIRE(static_cast<std::int64_t>(across.size()) == view.width);
        for (std::int64_t y = 0; y < view.height; ++y) {
          const float weight = down[static_cast<std::size_t>(y)];
          CHECK(weight >= 0);
          if (view.y > 0 && y < margin) CHECK(weight == 0);
          if (view.y + view.height < size.height && y >= view.height - margin) CHECK(weight == 0);
          if (view.y + y < plan.first_row(i / plan.columns())) CHECK(weight == 0);
          for (std::int64_t x = 0; x < view.width; ++x) {
            sums[static_cast<std::size_t>((view.y + y) * size.width + view.x + x)] +=
                static_cast<double>(weight) * static_cast<double>(across[static_cast<std::size_t>(x)]);
          }
        }
      }
      for (const double sum : sums)
        CHECK(sum == Approx(1).epsilon(1e-6));
    }
  }
}

TEST_CASE("stitched views of a shift-invariant map are the map of the whole image") {
  for (const auto size : kSizes) {
    for (const double overlap : {0.25, 0.5}) {
      CAPTURE(size.height);
      CAPTURE(size.width);
      CAPTURE(overlap);
      const ViewPlan plan(size, options_of(Resize::tiles, 16, overlap));
      const auto pixels = random_pixels(size);
      const int radius = static_cast<int>(16 * overlap) / 4;
      const auto whole = box_filtered(pixels, size, size, radius);
      data::StitchedMap stitched(plan, 2);
      std::vector<float> found;
      std::vector<float> negative;
      std::int64_t kept = 0;
      for (std::int64_t i = 0; i < plan.count(); ++i) {
        const auto view = plan.view(i);
        auto map = box_filtered(shown(pixels, plan, i, 5), {16, 16}, {view.height, view.width}, radius);
        const auto plane = map.size();
        for (std::size_t at = 0; at < plane; ++at)
          map.push_back(-map[at]);
        stitched.add(map.data());
        const auto rows = stitched.take();
        CHECK(rows.begin == static_cast<std::int64_t>(found.size()) / size.width);
        found.insert(found.end(), rows.planes[0].begin(), rows.planes[0].end());
        negative.insert(negative.end(), rows.planes[1].begin(), rows.planes[1].end());
        kept = std::max(kept, view.y + view.height - rows.end);
      }
      CHECK(kept <= 16);
      REQUIRE(found.size() == whole.size());
      REQUIRE(negative.size() == whole.size());
      for (std::size_t i = 0; i < whole.size(); ++i) {
        CHECK(std::abs(found[i] - whole[i]) < 1e-6);
        CHECK(negative[i] == -found[i]);
      }
    }
  }
}

TEST_CASE("one view gives its map to the last bit") {
  const ViewPlan plan({10, 13}, options_of(Resize::tiles, 16));
  const auto pixels = random_pixels({10, 13});
  data::StitchedMap stitched(plan);
  stitched.add(shown(pixels, plan, 0, 9).data());
  CHECK(stitched.take().planes[0] == pixels);
}

TEST_CASE("square images have one view of their own size, whatever their file's") {
  for (const auto size : kSizes) {
    const ViewPlan plan(size, options_of(Resize::square, 16));
    CHECK(plan.size() == PixelSize{16, 16});
    CHECK(plan.count() == 1);
    CHECK(plan.view(0).height == 16);
    CHECK(plan.view(0).width == 16);
  }
}

TEST_CASE("kept proportions make the longer side that of the view") {
  const auto size_of = [](PixelSize stored) { return ViewPlan(stored, options_of(Resize::keep, 64)).size(); };
  CHECK(size_of({320, 480}) == PixelSize{43, 64});
  CHECK(size_of({480, 320}) == PixelSize{64, 43});
  CHECK(size_of({7, 7}) == PixelSize{64, 64});
  CHECK(size_of({1, 1000}) == PixelSize{1, 64});
  const ViewPlan plan({320, 480}, options_of(Resize::keep, 64));
  CHECK(plan.count() == 1);
  CHECK(plan.view(0).height == 43);
  CHECK(plan.view(0).width == 64);
}

TEST_CASE("padding mirrors the image as often as it must") {
  const auto row = [](std::int64_t length) {
    std::vector<std::int64_t> places;
    for (std::int64_t at = 0; at < 8; ++at)
      places.push_back(data::mirrored(at, length));
    return places;
  };
  CHECK(row(8) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(row(5) == std::vector<std::int64_t>{0, 1, 2, 3, 4, 3, 2, 1});
  CHECK(row(3) == std::vector<std::int64_t>{0, 1, 2, 1, 0, 1, 2, 1});
  CHECK(row(2) == std::vector<std::int64_t>{0, 1, 0, 1, 0, 1, 0, 1});
  CHECK(row(1) == std::vector<std::int64_t>(8, 0));
}
