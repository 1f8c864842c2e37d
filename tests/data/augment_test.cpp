// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/augment.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include <doctest/doctest.h>

using doctest::Approx;
using nbs::data::AugmentOptions;
using nbs::data::Uniform;

namespace {

// The numbers given, in turn.
Uniform fixed(std::vector<double> values) {
  auto at = std::make_shared<std::size_t>(0);
  return [values = std::move(values), at] { return values[(*at)++ % values.size()]; };
}

Uniform seeded(unsigned seed) {
  auto engine = std::make_shared<std::mt19937>(seed);
  return [engine] { return static_cast<double>((*engine)()) / 4294967296.0; };
}

AugmentOptions none() {
  AugmentOptions options;
  options.flip = false;
  options.rotate90 = false;
  return options;
}

struct Pair {
  std::vector<float> image;
  std::vector<float> mask;
};

// A disc off the center, in all three channels and in the mask.
Pair disc(std::int64_t size) {
  Pair pair{std::vector<float>(static_cast<std::size_t>(3 * size * size)),
            std::vector<float>(static_cast<std::size_t>(size * size))};
  for (std::int64_t i = 0; i < size * size; ++i) {
    const double x = static_cast<double>(i % size) - 0.4 * static_cast<double>(size);
    const double y = static_cast<double>(i / size) - 0.55 * static_cast<double>(size);
    const float inside = std::hypot(x, y) < 0.2 * static_cast<double>(size) ? 1.0F : 0.0F;
    pair.mask[static_cast<std::size_t>(i)] = inside;
    for (std::int64_t c = 0; c < 3; ++c)
      pair.image[static_cast<std::size_t>(c * size * size + i)] = inside;
  }
  return pair;
}

// A Warp of the whole image and mask, in place.
void warp(Pair& pair, std::int64_t size, const AugmentOptions& options, const Uniform& uniform) {
  const nbs::data::Warp warp(size, 0, 0, size, options, uniform);
  const auto before = pair;
  for (std::int64_t c = 0; c < 3; ++c)
    warp.apply(before.image.data() + c * size * size, pair.image.data() + c * size * size);
  warp.apply_nearest(before.mask.data(), pair.mask.data());
}

}  // namespace

TEST_CASE("brightness, contrast and color follow their formula") {
  auto options = none();
  options.contrast = 0.5;
  options.brightness = 0.2;
  options.color = 0.1;
  // Mean (0.2 + 0.4 + 0.6) / 3 = 0.4. Draws: contrast 1 + 0.5 * 0.5, brightness 0.2 * -0.5, channels 0.1 * (1, 0, -1).
  std::vector<float> image = {0.2F, 0.2F, 0.4F, 0.4F, 0.6F, 0.6F};
  nbs::data::augment_color(image.data(), 2, options, fixed({0.75, 0.25, 1.0, 0.5, 0.0}));
  const double expected[3] = {0.4 + 1.25 * (0.2 - 0.4) - 0.1 + 0.1, 0.4 - 0.1, 0.4 + 1.25 * 0.2 - 0.1 - 0.1};
  for (std::size_t i = 0; i < 6; ++i)
    CHECK(image[i] == Approx(expected[i / 2]));
}

TEST_CASE("colors stay in [0, 1]") {
  auto options = none();
  options.contrast = 0.95;
  options.brightness = 1;
  options.color = 1;
  options.noise = 1;
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::vector<float> image(3 * 64);
    std::iota(image.begin(), image.end(), 0.0F);
    for (auto& value : image)
      value /= 191;
    nbs::data::augment_color(image.data(), 64, options, seeded(seed));
    CHECK(*std::min_element(image.begin(), image.end()) >= 0);
    CHECK(*std::max_element(image.begin(), image.end()) <= 1);
  }
}

TEST_CASE("noise has the deviation that was asked for") {
  auto options = none();
  options.noise = 0.05;
  std::vector<float> image(3 * 10000, 0.5F);
  nbs::data::augment_color(image.data(), 10000, options, seeded(1));
  double sum = 0;
  double squares = 0;
  for (const float value : image) {
    sum += value - 0.5;
    squares += (value - 0.5) * (value - 0.5);
  }
  CHECK(std::abs(sum / 30000) < 0.0015);  // five standard errors
  CHECK(std::sqrt(squares / 30000) == Approx(0.05).epsilon(0.03));
}

TEST_CASE("with everything off nothing changes and nothing is drawn") {
  auto pair = disc(16);
  const auto before = pair;
  const Uniform never = []() -> double {
    FAIL("a number was drawn");
    return 0;
  };
  nbs::data::augment_color(pair.image.data(), 256, none(), never);
  CHECK_FALSE(nbs::data::warps(none()));
  CHECK(pair.image == before.image);
  CHECK(pair.mask == before.mask);
}

TEST_CASE("a rotation by a quarter turn moves image and mask as indices say") {
  constexpr std::int64_t kSize = 9;
  Pair pair{std::vector<float>(3 * kSize * kSize), std::vector<float>(kSize * kSize)};
  std::iota(pair.image.begin(), pair.image.end(), 0.0F);
  std::iota(pair.mask.begin(), pair.mask.end(), 0.0F);
  const auto before = pair;
  auto options = none();
  options.rotation = 180;
  warp(pair, kSize, options, fixed({0.75, 0.5}));  // + 90 degrees
  for (std::int64_t y = 0; y < kSize; ++y) {
    for (std::int64_t x = 0; x < kSize; ++x) {
      const auto to = static_cast<std::size_t>(y * kSize + x);
      const auto from = static_cast<std::size_t>(x * kSize + (kSize - 1 - y));
      CHECK(pair.mask[to] == before.mask[from]);
      for (std::size_t c = 0; c < 3; ++c)
        CHECK(pair.image[c * kSize * kSize + to] == Approx(before.image[c * kSize * kSize + from]));
    }
  }
}

TEST_CASE("a window is turned about its own center, and looks beyond its edges") {
  constexpr std::int64_t kSize = 12;
  std::vector<float> plane(kSize * kSize);
  std::iota(plane.begin(), plane.end(), 0.0F);
  auto options = none();
  options.rotation = 180;
  // The window of 5 x 5 pixels at (4, 3), upright and turned by 90 degrees.
  for (const bool turned : {false, true}) {
    CAPTURE(turned);
    const nbs::data::Warp warp(kSize, 4, 3, 5, options, fixed({turned ? 0.75 : 0.5, 0.5}));
    std::vector<float> window(25);
    warp.apply(plane.data(), window.data());
    for (std::int64_t y = 0; y < 5; ++y) {
      for (std::int64_t x = 0; x < 5; ++x) {
        const std::int64_t from = turned ? (4 + x) * kSize + 3 + (4 - y) : (4 + y) * kSize + 3 + x;
        CHECK(window[static_cast<std::size_t>(5 * y + x)] == Approx(plane[static_cast<std::size_t>(from)]));
      }
    }
  }
  // By 45 degrees, its corner lies outside of the window, at (6, 5) plus 2 sqrt(2) to the right.
  const nbs::data::Warp diagonal(kSize, 4, 3, 5, options, fixed({0.625, 0.5}));
  std::vector<float> window(25);
  diagonal.apply(plane.data(), window.data());
  const double expected = 6 * kSize + 5 - 2 * std::sqrt(2.0) * kSize;  // the corner (-2, -2) turns to (-2.83, 0)
  CHECK(std::min(std::abs(window[0] - expected), std::abs(window[4] - expected)) < 0.5);
}

TEST_CASE("a larger scale enlarges what is there by its square") {
  auto pair = disc(128);
  const auto area = [&] { return std::accumulate(pair.mask.begin(), pair.mask.end(), 0.0); };
  const double before = area();
  auto options = none();
  options.scale = 0.4;
  warp(pair, 128, options, fixed({0.5, 0.75}));  // scale 1.2
  CHECK(area() / before == Approx(1.44).epsilon(0.03));
}

TEST_CASE("image and mask stay aligned under rotation, scale and elastic displacement") {
  auto options = none();
  options.rotation = 180;
  options.scale = 0.3;
  options.elastic = 3;
  for (unsigned seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    auto pair = disc(96);
    const auto before = pair;
    warp(pair, 96, options, seeded(seed));
    CHECK(pair.mask != before.mask);
    int wrong = 0;
    double anomalous = 0;
    for (std::size_t i = 0; i < pair.mask.size(); ++i) {
      CHECK_MESSAGE((pair.mask[i] == 0 || pair.mask[i] == 1), "nearest neighbor keeps masks binary");
      anomalous += static_cast<double>(pair.mask[i]);
      // Away from the disc's edge the linear and the nearest neighbor value agree.
      const float value = pair.image[i];
      if (value < 0.01F || value > 0.99F) wrong += (value > 0.5F) == (pair.mask[i] > 0.5F) ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(anomalous > 300);
  }
}

TEST_CASE("the same numbers give the same picture, others another") {
  auto options = none();
  options.brightness = 0.1;
  options.noise = 0.1;
  options.rotation = 20;
  options.elastic = 2;
  const auto run = [&](unsigned seed) {
    auto pair = disc(32);
    const auto uniform = seeded(seed);
    nbs::data::augment_color(pair.image.data(), 32 * 32, options, uniform);
    warp(pair, 32, options, uniform);
    return pair;
  };
  CHECK(run(3).image == run(3).image);
  CHECK(run(3).mask == run(3).mask);
  CHECK(run(3).image != run(4).image);
}
