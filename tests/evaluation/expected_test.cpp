// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/expected.h"

#include <algorithm>
#include <cmath>
#include <utility>

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

TEST_CASE("of a single labeled image it is not known how far others are from it") {
  const test::Images images = {test::random_images(4, 3, {9, 9}, 30, 0.2).front()};
  const auto expected = expected_scores(images, by_f1);
  REQUIRE(expected.has_value());
  CHECK(expected->f1_low == 0);
  CHECK(expected->f1_high == 1);
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

namespace {

// One row of pixels.
evaluation::ScoredImage strip(const std::vector<float>& probability, const std::vector<std::uint8_t>& mask) {
  return {"", "", 1, static_cast<std::int64_t>(mask.size()), probability, mask};
}

double at_half(const test::Images& /*others*/) {
  return 0.5;
}

evaluation::UnlabeledPixels unlabeled_pixels(const std::vector<float>& probability, std::int64_t predictors) {
  evaluation::UnlabeledPixels pixels;
  pixels.images = 1;
  pixels.predictors = predictors;
  for (const float value : probability)
    (value >= 0.5F ? pixels.predicted : pixels.others).add(value);
  return pixels;
}

}  // namespace

TEST_CASE("how sure the predictors are of unlabeled images is worth what the labeled ones show") {
  // Of the pixels at 0.9 three of four are anomalous, of those at 0.2 one of four. Both images have two anomalous
  // pixels, so they weigh the same.
  const test::Images labeled = {strip({0.9F, 0.9F, 0.2F, 0.2F}, {1, 1, 0, 0}),
                                strip({0.9F, 0.9F, 0.2F, 0.2F}, {1, 0, 1, 0})};
  // Six pixels at 0.9, two at 0.2 and four below all that labeled images have, by each of two predictors.
  const auto unlabeled = unlabeled_pixels({0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F, 0.9F,
                                           0.2F, 0.2F, 0.2F, 0.2F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F, 0.1F},
                                          2);
  const auto expected = expected_scores(labeled, at_half, unlabeled);
  REQUIRE(expected.has_value());
  // Found 4.5 of six predicted, missed half a pixel.
  CHECK(expected->precision.value() == Approx(4.5 / 6));
  CHECK(expected->recall.value() == Approx(4.5 / 5));
  CHECK(expected->f1.value() == Approx(9.0 / 11));
  CHECK(expected->true_positives == 5);  // 4.5
  CHECK(expected->false_positives == 2);
  CHECK(expected->false_negatives == 1);
  CHECK(expected->unlabeled == 1);
  CHECK(expected->by_image.size() == 2);
  // Resamples: the first image alone promises 1, the second alone 2 * 3 / (6 + 4).
  CHECK(expected->f1_low.value() < 0.6);
  CHECK(expected->f1_high.value() == Approx(1));
}

TEST_CASE("a labeled image tells by one over the root of its anomalous area") {
  // At 0.9 one of two pixels is anomalous in the first image, which weighs 1, and four of four in the second, which
  // weighs 1/2.
  const test::Images labeled = {strip({0.9F, 0.9F, 0.2F}, {1, 0, 0}), strip({0.9F, 0.9F, 0.9F, 0.9F}, {1, 1, 1, 1})};
  const auto expected = expected_scores(labeled, at_half, unlabeled_pixels({0.9F, 0.9F, 0.2F}, 1));
  CHECK(expected->precision.value() == Approx((1 + 4 * 0.5) / (2 + 4 * 0.5)));
}

TEST_CASE("unlabeled images that are harder than the labeled ones promise less") {
  // Of ten pixels at 0.9 nine are anomalous, at 0.6 five, at 0.3 one.
  std::vector<float> probability;
  std::vector<std::uint8_t> mask;
  for (const auto& [value, anomalous] : {std::pair{0.9F, 9}, {0.6F, 5}, {0.3F, 1}}) {
    for (int pixel = 0; pixel < 10; ++pixel) {
      probability.push_back(value);
      mask.push_back(pixel < anomalous ? 1 : 0);
    }
  }
  const test::Images labeled(3, strip(probability, mask));
  const auto f1 = [&](float predicted) {
    std::vector<float> unlabeled(20, 0.3F);
    unlabeled.resize(30, predicted);
    return expected_scores(labeled, at_half, unlabeled_pixels(unlabeled, 1))->f1.value();
  };
  CHECK(f1(0.9F) == Approx(2 * 9.0 / (10 + 9 + 2)));
  CHECK(f1(0.6F) == Approx(2 * 5.0 / (10 + 5 + 2)));
}

TEST_CASE("an interval is never narrower than what labeled images cannot tell") {
  // All resamples say the same.
  const test::Images labeled(5, strip({0.9F, 0.9F, 0.2F, 0.2F}, {1, 0, 0, 0}));
  const auto expected = expected_scores(labeled, at_half, unlabeled_pixels({0.9F, 0.9F, 0.2F, 0.2F}, 1));
  CHECK(expected->f1.value() == Approx(2.0 / 3));
  CHECK(expected->f1_low.value() == Approx(2.0 / 3 - 0.08225));
  CHECK(expected->f1_high.value() == Approx(2.0 / 3 + 0.08225));
}

TEST_CASE("where labeled images see no anomaly in what others show, they speak for themselves") {
  const test::Images labeled = {strip({0.9F, 0.2F}, {1, 0}), strip({0.9F, 0.2F}, {1, 0})};
  const auto expected = expected_scores(labeled, at_half, unlabeled_pixels({0.2F, 0.2F}, 1));
  REQUIRE(expected.has_value());
  CHECK_FALSE(expected->unlabeled.has_value());
  CHECK(expected->f1.value() == Approx(1));
}
