// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/scores.h"

#include <cmath>

#include <doctest/doctest.h>

#include "brute_force.h"

using namespace nbs;
using doctest::Approx;
using evaluation::ScoredImage;

namespace {

// 2 x 2 pixels.
ScoredImage image(const char* id, const char* type, std::vector<float> probability, std::vector<std::uint8_t> mask) {
  return {id, type, 2, 2, std::move(probability), std::move(mask)};
}

// At 0.5: crack TP 1 FP 1 FN 1; stain TP 1; good (clean) nothing; good (noisy) FP 2.
std::vector<ScoredImage> four_images() {
  return {image("c", "crack", {0.9F, 0.1F, 0.5F, 0.2F}, {1, 1, 0, 0}),
          image("s", "stain", {0.8F, 0.0F, 0.0F, 0.0F}, {1, 0, 0, 0}),
          image("g", "good", {0.1F, 0.1F, 0.1F, 0.1F}, {0, 0, 0, 0}),
          image("n", "good", {0.7F, 0.1F, 0.1F, 0.6F}, {0, 0, 0, 0})};
}

}  // namespace

TEST_CASE("counts, precision, recall, F1 and IoU, a threshold being predicted itself") {
  const auto counts = evaluation::count(four_images()[0], 0.5);
  CHECK(counts.true_positives == 1);
  CHECK(counts.false_positives == 1);
  CHECK(counts.false_negatives == 1);
  CHECK(counts.precision() == 0.5);
  CHECK(counts.recall() == 0.5);
  CHECK(counts.f1() == 0.5);
  CHECK(counts.iou() == Approx(1.0 / 3));
  CHECK(evaluation::count(four_images()[0], 0.51).false_positives == 0);
  const evaluation::Counts nothing;
  CHECK(nothing.precision() == 0);
  CHECK(nothing.recall() == 0);
  CHECK(nothing.f1() == 0);
  CHECK(nothing.iou() == 0);
}

TEST_CASE("F1 of an image without anomalous pixels is 1 if none is predicted, else 0") {
  CHECK(evaluation::image_f1({0, 0, 0}) == 1);
  CHECK(evaluation::image_f1({0, 3, 0}) == 0);
  CHECK(evaluation::image_f1({0, 0, 3}) == 0);
  CHECK(evaluation::image_f1({2, 1, 1}) == Approx(4.0 / 6));
}

TEST_CASE("scores of four images, worked out by hand") {
  const auto scores = evaluation::score(four_images(), 0.5, {"crack"});
  CHECK(scores.true_positives == 2);
  CHECK(scores.false_positives == 3);
  CHECK(scores.false_negatives == 1);
  CHECK(*scores.f1 == Approx(4.0 / 8));
  CHECK(*scores.iou == Approx(2.0 / 6));
  // Where there is an anomaly all pixels are near it: precision 3/5, recall 1.
  CHECK(*scores.f1_tolerance_2 == Approx(0.75));
  CHECK(*scores.f1_tolerance_5 == Approx(0.75));
  CHECK(*scores.mean_image_f1 == Approx((0.5 + 1 + 1 + 0) / 4));
  // Largest probabilities: anomalous 0.9, 0.8; normal 0.1, 0.7.
  CHECK(*scores.image_auroc == Approx(1));
  REQUIRE(scores.by_type.size() == 3);
  CHECK(scores.by_type[0].type == "crack");
  CHECK(*scores.by_type[0].seen);
  CHECK(scores.by_type[0].f1 == 0.5);
  CHECK(scores.by_type[1].type == "good");
  CHECK(scores.by_type[1].images == 2);
  CHECK(scores.by_type[1].false_positives == 2);
  CHECK(scores.by_type[2].type == "stain");
  CHECK_FALSE(*scores.by_type[2].seen);
  CHECK(scores.by_type[2].f1 == 1);
  REQUIRE(scores.by_image.size() == 4);
  CHECK(scores.by_image[3].id == "n");
  CHECK(scores.by_image[3].f1 == 0);
}

TEST_CASE("pixel scores of random images agree with brute force") {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const auto images = test::random_images(seed, 4, {6, 7}, 9, 0.2);
    const auto scores = evaluation::score(images, 0.6, {});
    CHECK(*scores.f1 == Approx(test::pooled_f1(images, 0.6)));
    CHECK(*scores.iou == Approx(test::pooled_iou(images, 0.6)));
    CHECK(*scores.auroc == Approx(test::pairs_auroc(images)));
    CHECK(*scores.average_precision == Approx(test::thresholds_average_precision(images)));
    CHECK(*scores.oracle.f1 == Approx(test::thresholds_best_f1(images)));
    CHECK(*scores.aupro == Approx(test::thresholds_aupro(images, 0.3)));
    CHECK(scores.by_type.empty());
  }
}

TEST_CASE("all images normal, or all pixels anomalous: undefined areas are empty, nothing else fails") {
  auto images = test::random_images(1, 2, {4, 4}, 5, 0.0);
  auto scores = evaluation::score(images, 0.5, {});
  CHECK_FALSE(scores.auroc.has_value());
  CHECK_FALSE(scores.average_precision.has_value());
  CHECK_FALSE(scores.aupro.has_value());
  CHECK_FALSE(scores.image_auroc.has_value());
  CHECK(scores.f1 == 0.0);
  CHECK(scores.iou == 0.0);
  CHECK(scores.f1_tolerance_2 == 0.0);
  CHECK(scores.oracle.f1 == 0.0);
  CHECK(scores.nothing_to_find());
  for (auto& one : images)
    one.mask.assign(16, 1);
  scores = evaluation::score(images, 0.0, {});
  CHECK_FALSE(scores.auroc.has_value());
  CHECK_FALSE(scores.aupro.has_value());
  CHECK(scores.average_precision == 1.0);
  CHECK(scores.f1 == 1.0);
  CHECK(scores.iou == 1.0);
  CHECK(scores.f1_tolerance_5 == 1.0);
  CHECK(scores.mean_image_f1 == 1.0);
  CHECK_NOTHROW(evaluation::score({}, 0.5, {}));
}

TEST_CASE("seen and unseen kinds of defect are apart, and normal images in neither") {
  const auto scores = evaluation::score(four_images(), 0.5, {"crack"});
  CHECK(scores.threshold == 0.5);
  CHECK(*scores.precision == Approx(0.4));
  CHECK(*scores.recall == Approx(2.0 / 3));
  CHECK(scores.seen_types->f1 == 0.5);
  CHECK(scores.seen_types->false_positives == 1);
  CHECK(scores.unseen_types->f1 == 1.0);
  CHECK(scores.unseen_types->false_positives == 0);
  CHECK(scores.by_image.at(0).id == "c");
  CHECK(scores.by_image.at(0).f1 == 0.5);
  const auto untyped = evaluation::score(test::random_images(1, 1, {4, 4}, 5, 0.5), 0.5, {});
  CHECK(untyped.by_type.empty());
  CHECK_FALSE(untyped.seen_types.has_value());
}
