// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/curve.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <doctest/doctest.h>

#include "nbs/evaluation/scores.h"

#include "brute_force.h"

using namespace nbs;
using doctest::Approx;
using evaluation::ScoredImage;

namespace {

ScoredImage row(std::vector<float> probability, std::vector<std::uint8_t> mask) {
  ScoredImage image;
  image.height = 1;
  image.width = static_cast<std::int64_t>(probability.size());
  image.probability = std::move(probability);
  image.mask = std::move(mask);
  return image;
}

}  // namespace

TEST_CASE("AUROC, average precision and best F1 agree with brute force on maps full of ties") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    CAPTURE(seed);
    const int levels = seed % 4 == 0 ? 2 : seed % 4 == 1 ? 5 : seed % 4 == 2 ? 23 : 5000;
    const auto images = test::random_images(seed, 3, {7, 7}, levels, 0.1 + 0.02 * (seed % 10));
    const auto points = evaluation::curve(images);
    CHECK(evaluation::area_under_roc(points) == Approx(test::pairs_auroc(images)).epsilon(1e-12));
    CHECK(evaluation::average_precision(points) == Approx(test::thresholds_average_precision(images)).epsilon(1e-12));
    const auto best = evaluation::best_f1(points);
    CHECK(best.f1 == Approx(test::thresholds_best_f1(images)).epsilon(1e-12));
    // The threshold really gives that F1.
    CHECK(test::pooled_f1(images, best.threshold) == Approx(best.f1).epsilon(1e-12));
  }
}

TEST_CASE("scores worked out by hand") {
  // Highest first: anomalous 0.9, normal 0.8, a tie of one each at 0.6, normal 0.1.
  const std::vector<ScoredImage> images = {row({0.6F, 0.9F, 0.1F}, {0, 1, 0}), row({0.8F, 0.6F}, {0, 1})};
  const auto points = evaluation::curve(images);
  REQUIRE(points.size() == 4);
  CHECK(points[0].threshold == 0.9F);
  CHECK(points[2].true_positives == 2);
  CHECK(points[2].false_positives == 2);
  CHECK(points[3].false_positives == 3);
  // Pairs: 0.9 wins 3, 0.6 wins 1 and ties 1: 4.5 of 6.
  CHECK(evaluation::area_under_roc(points) == Approx(0.75));
  CHECK(evaluation::average_precision(points) == Approx(0.5 * 1 + 0.5 * 0.5));
  const auto best = evaluation::best_f1(points);
  CHECK(best.f1 == Approx(2.0 / 3));  // at 0.9: 2/3; at 0.6: 4/6: of equal ones the highest threshold
  CHECK(best.threshold == Approx(0.85));
}

TEST_CASE("every distinct probability has one point, exactly, down to zero and neighboring floats") {
  const float almost = std::nextafter(0.5F, 0.0F);
  const std::vector<ScoredImage> images = {row({0.0F, 1.0F, 0.5F, almost, -0.0F, 1e-40F}, {0, 1, 1, 0, 1, 0})};
  const auto points = evaluation::curve(images);
  REQUIRE(points.size() == 5);  // 0 and -0 are one
  CHECK(points[0].threshold == 1.0F);
  CHECK(points[1].threshold == 0.5F);
  CHECK(points[2].threshold == almost);
  CHECK(points[3].threshold == 1e-40F);
  CHECK(points[4].threshold == 0.0F);
  CHECK(points[4].true_positives == 3);
  CHECK(points[4].false_positives == 3);
  const auto best = evaluation::best_f1(points);
  CHECK(best.f1 == Approx(0.8));  // 1 and 0.5
  CHECK(evaluation::count(images[0], best.threshold).true_positives == 2);
  CHECK(evaluation::count(images[0], best.threshold).false_positives == 0);
}

TEST_CASE("many random floats are counted as a plain sort counts them") {
  std::mt19937 engine(5);
  std::vector<float> probability;
  std::vector<std::uint8_t> mask;
  for (int i = 0; i < 20000; ++i) {
    probability.push_back(std::ldexp(static_cast<float>(engine()) / 4294967296.0F, -static_cast<int>(engine() % 30)));
    mask.push_back(engine() % 7 == 0 ? 1 : 0);
  }
  const auto points = evaluation::curve({row(probability, mask)});
  std::vector<float> sorted = probability;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  REQUIRE(points.size() == sorted.size());
  int wrong = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i)
    wrong += points[i].threshold == sorted[i] ? 0 : 1;
  CHECK(wrong == 0);
  CHECK(points.back().true_positives == std::count(mask.begin(), mask.end(), 1));
}

TEST_CASE("with one class only, areas are undefined and the best F1 keeps its default") {
  const auto normal = evaluation::curve({row({0.1F, 0.7F}, {0, 0})});
  CHECK(std::isnan(evaluation::area_under_roc(normal)));
  CHECK(std::isnan(evaluation::average_precision(normal)));
  CHECK(evaluation::best_f1(normal).f1 == 0);
  CHECK(evaluation::best_f1(normal).threshold == 0.5);
  const auto anomalous = evaluation::curve({row({0.2F, 0.7F}, {1, 1})});
  CHECK(std::isnan(evaluation::area_under_roc(anomalous)));
  CHECK(evaluation::average_precision(anomalous) == Approx(1));
  CHECK(evaluation::best_f1(anomalous).f1 == Approx(1));
  CHECK(evaluation::best_f1(anomalous).threshold == Approx(0.1));  // midway to zero
  CHECK(std::isnan(evaluation::area_under_roc(evaluation::curve({}))));
  CHECK(evaluation::best_f1({}).threshold == 0.5);
}

TEST_CASE("F1 of counts") {
  CHECK(evaluation::f1(3, 1, 2) == Approx(2 * 0.75 * 0.6 / (0.75 + 0.6)));
  CHECK(evaluation::f1(0, 0, 0) == 0);
  CHECK(evaluation::f1(0, 5, 5) == 0);
}
