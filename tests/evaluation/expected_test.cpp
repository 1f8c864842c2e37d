// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/expected.h"

#include <algorithm>
#include <cmath>

#include <doctest/doctest.h>

#include "nbs/evaluation/threshold.h"

#include "brute_force.h"

using namespace nbs;
using doctest::Approx;
using evaluation::expected_scores;

namespace {

double by_f1(const test::Images& images) {
  return evaluation::threshold_by_f1(images).threshold;
}

}  // namespace

TEST_CASE("each image is counted at the threshold that the others give") {
  auto images = test::random_images(3, 4, {9, 9}, 30, 0.2);
  for (std::size_t i = 0; i < images.size(); ++i)
    images[i].id = "image " + std::to_string(i);
  const auto expected = expected_scores(images, by_f1);
  REQUIRE(expected.has_value());
  REQUIRE(expected->by_image.size() == 4);
  double right = 0;
  double wrong = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    test::Images others;
    for (std::size_t k = 0; k < 4; ++k) {
      if (k != i) others.push_back(images[k]);
    }
    const auto& own = expected->by_image[i];
    CHECK(own.id == images[i].id);
    CHECK(own.f1.value() == Approx(test::pooled_f1({images[i]}, by_f1(others))));
    const auto area = std::count(images[i].mask.begin(), images[i].mask.end(), 1);
    REQUIRE(area > 0);
    const double weight = 1 / std::sqrt(static_cast<double>(area));
    right += weight * static_cast<double>(*own.true_positives);
    wrong += weight * static_cast<double>(*own.false_positives + *own.false_negatives);
  }
  CHECK(expected->f1.value() == Approx(2 * right / (2 * right + wrong)));
  CHECK(expected->f1_low.value() <= expected->f1.value());
  CHECK(expected->f1_high.value() >= expected->f1.value());
}

TEST_CASE("the only image with an anomaly is counted at the threshold of all") {
  auto images = test::random_images(3, 3, {9, 9}, 30, 0.2);
  images[0].mask.assign(images[0].mask.size(), 0);
  images[2].mask.assign(images[2].mask.size(), 0);
  std::vector<std::size_t> asked;
  const auto expected = expected_scores(images, [&](const test::Images& others) {
    asked.push_back(others.size());
    return by_f1(others);
  });
  CHECK(asked == std::vector<std::size_t>{2, 3, 2});
  CHECK(expected->by_image[1].f1.value() == Approx(test::pooled_f1({images[1]}, by_f1(images))));
}

TEST_CASE("nothing is expected where nothing is to be found") {
  CHECK_FALSE(expected_scores(test::random_images(1, 2, {8, 8}, 9, 0.0), by_f1).has_value());
  CHECK_FALSE(expected_scores({}, by_f1).has_value());
}
