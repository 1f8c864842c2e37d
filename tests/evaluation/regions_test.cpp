// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/regions.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "nbs/evaluation/threshold.h"

#include "brute_force.h"

using namespace nbs;
using doctest::Approx;

TEST_CASE("AUPRO agrees with brute force on maps full of ties") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const int levels = seed % 4 == 0 ? 2 : seed % 4 == 1 ? 5 : seed % 4 == 2 ? 23 : 5000;
    const auto images = test::random_images(seed, 3, {8, 6 + seed % 5}, levels, 0.05 + 0.02 * (seed % 10));
    for (const double limit : {0.05, 0.3, 1.0})
      CHECK(evaluation::area_under_region_overlap(images, limit) ==
            Approx(test::thresholds_aupro(images, limit)).epsilon(1e-9));
  }
}

TEST_CASE("AUPRO of a perfect, a blind and a contrary map") {
  evaluation::ScoredImage image;
  image.height = image.width = 4;
  image.mask = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};  // a diagonal pair is one region
  image.probability.assign(16, 0.5F);
  // One threshold for all: the curve is the straight line from 0 to 1.
  CHECK(evaluation::area_under_region_overlap({image}) == Approx(0.15));
  for (std::size_t i = 0; i < 16; ++i)
    image.probability[i] = image.mask[i] != 0 ? 0.9F : 0.1F;
  CHECK(evaluation::area_under_region_overlap({image}) == Approx(1));
  for (auto& value : image.probability)
    value = 1 - value;
  CHECK(evaluation::area_under_region_overlap({image}) == Approx(0));
  // The pair found by half, the single pixel not: (1/2 + 0) / 2 before the first false alarm.
  image.probability.assign(16, 0.0F);
  image.probability[0] = 1;
  CHECK(evaluation::area_under_region_overlap({image}) == Approx(0.25 + 0.75 * 0.15));
}

TEST_CASE("without a region, or without a normal pixel, AUPRO is undefined") {
  auto images = test::random_images(1, 2, {4, 4}, 5, 0.0);
  CHECK(std::isnan(evaluation::area_under_region_overlap(images)));
  for (auto& image : images)
    image.mask.assign(16, 1);
  CHECK(std::isnan(evaluation::area_under_region_overlap(images)));
}

TEST_CASE("the largest region agrees with flood filling") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const auto image = test::random_images(seed, 1, {12, 5 + seed % 11}, 6, 0.2).front();
    for (const double threshold : {0.0, 0.3, 0.6, 0.8, 1.0, 1.1}) {
      std::vector<std::uint8_t> predicted;
      for (const float value : image.probability)
        predicted.push_back(value >= threshold ? 1 : 0);
      std::size_t largest = 0;
      for (const auto& region : test::regions(predicted, {image.height, image.width}))
        largest = std::max(largest, region.size());
      CHECK(evaluation::largest_region(image, threshold) == static_cast<std::int64_t>(largest));
    }
  }
}

TEST_CASE("the threshold by area is the smallest that leaves no larger region on normal images") {
  for (unsigned seed = 0; seed < 10; ++seed) {
    CAPTURE(seed);
    test::Images maps;
    for (const std::int64_t width : {10, 7}) {
      for (auto image : test::random_images(seed, 2, {10, width}, 50, 0.0)) {
        for (auto& value : image.probability)
          value *= 0.9F;
        maps.push_back(std::move(image));
      }
    }
    for (const std::int64_t area : {0, 3, 20}) {
      CAPTURE(area);
      const double chosen = evaluation::threshold_by_normal_area(maps, area);
      std::int64_t at = 0;
      std::int64_t below = 0;
      for (const auto& map : maps) {
        at = std::max(at, evaluation::largest_region(map, chosen));
        below = std::max(below, evaluation::largest_region(map, chosen - 2e-6));
      }
      CHECK(at <= area);
      CHECK(below > area);
    }
  }
}

TEST_CASE("the threshold by area keeps its promise on maps that are certain everywhere") {
  test::Images maps(1);
  maps[0].height = maps[0].width = 4;
  maps[0].probability.assign(16, 1.0F);
  const double chosen = evaluation::threshold_by_normal_area(maps, 3);
  CHECK(evaluation::largest_region(maps[0], chosen) <= 3);
  CHECK(chosen == Approx(1));
}
