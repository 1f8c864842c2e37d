// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/precision_recall.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <doctest/doctest.h>

#include "nbs/evaluation/scores.h"

using namespace nbs;
using doctest::Approx;
using evaluation::ScoredImage;

namespace {

std::vector<ScoredImage> random_images(int images, int pixels, int levels) {
  std::mt19937 random(11);
  std::vector<ScoredImage> all;
  for (int i = 0; i < images; ++i) {
    ScoredImage image;
    image.id = std::to_string(i);
    image.height = image.width = pixels;
    for (int k = 0; k < pixels * pixels; ++k) {
      const bool anomalous = random() % 6 == 0;
      image.mask.push_back(anomalous ? 1 : 0);
      const double level = static_cast<double>(random() % levels) / levels;
      image.probability.push_back(static_cast<float>(anomalous ? std::sqrt(level) : level));
    }
    all.push_back(std::move(image));
  }
  return all;
}

struct Ratios {
  double precision = 0;
  double recall = 0;
};

// By looking at every pixel.
Ratios count_all(const std::vector<ScoredImage>& images, double threshold) {
  double found = 0;
  double predicted = 0;
  double anomalous = 0;
  for (const auto& image : images) {
    for (std::size_t i = 0; i < image.mask.size(); ++i) {
      const bool is = static_cast<double>(image.probability[i]) >= threshold;
      predicted += is ? 1 : 0;
      anomalous += image.mask[i] != 0 ? 1 : 0;
      found += is && image.mask[i] != 0 ? 1 : 0;
    }
  }
  return {found / predicted, found / anomalous};
}

}  // namespace

TEST_CASE("every point of the curve is what counting all pixels at its threshold gives") {
  for (const int levels : {8, 100000}) {
    CAPTURE(levels);
    const auto images = random_images(3, 40, levels);
    const auto scores = evaluation::score(images, 0.6, {});
    const auto curve = evaluation::precision_recall(images, scores);
    REQUIRE(curve.has_value());
    for (const auto& point : curve->points) {
      const auto counted = count_all(images, point.threshold);
      CHECK(point.precision == Approx(counted.precision));
      CHECK(point.recall == Approx(counted.recall));
    }
    CHECK(curve->points.back().recall == 1);
    const auto chosen = count_all(images, 0.6);
    CHECK(curve->chosen.threshold == 0.6);
    CHECK(curve->chosen.precision == Approx(chosen.precision));
    CHECK(curve->chosen.recall == Approx(chosen.recall));
    const auto oracle = count_all(images, *scores.oracle.threshold);
    CHECK(curve->oracle.precision == Approx(oracle.precision));
    CHECK(curve->oracle.recall == Approx(oracle.recall));
    CHECK(2 * oracle.precision * oracle.recall / (oracle.precision + oracle.recall) == Approx(*scores.oracle.f1));
  }
}

TEST_CASE("thousands of thresholds leave few points, none of which lies far from the next") {
  const auto images = random_images(4, 100, 1000000);
  const auto curve = evaluation::precision_recall(images, evaluation::score(images, 0.5, {}));
  REQUIRE(curve.has_value());
  CHECK(curve->points.size() < 2000);
  CHECK(curve->points.size() > 100);
  for (std::size_t i = 1; i < curve->points.size(); ++i)
    CHECK(curve->points[i].recall - curve->points[i - 1].recall < 0.0075);
}

TEST_CASE("where nothing is predicted no prediction is wrong, and where nothing is to be found there is no curve") {
  auto images = random_images(1, 8, 8);
  auto scores = evaluation::score(images, 2, {});
  const auto curve = evaluation::precision_recall(images, scores);
  REQUIRE(curve.has_value());
  CHECK(curve->chosen.precision == 1);
  CHECK(curve->chosen.recall == 0);
  std::fill(images[0].mask.begin(), images[0].mask.end(), std::uint8_t{0});
  CHECK_FALSE(evaluation::precision_recall(images, scores).has_value());
  CHECK_FALSE(evaluation::precision_recall({}, scores).has_value());
}
