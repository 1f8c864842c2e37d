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
  return {id, type, 2, std::move(probability), std::move(mask)};
}

// At 0.5: crack TP 1 FP 1 FN 1; stain TP 1; good (clean) nothing; good (noisy) FP 2.
std::vector<ScoredImage> four_images() {
  return {image("c", "crack", {0.9F, 0.1F, 0.5F, 0.2F}, {1, 1, 0, 0}),
          image("s", "stain", {0.8F, 0.0F, 0.0F, 0.0F}, {1, 0, 0, 0}),
          image("g", "good", {0.1F, 0.1F, 0.1F, 0.1F}, {0, 0, 0, 0}),
          image("n", "good", {0.7F, 0.1F, 0.1F, 0.6F}, {0, 0, 0, 0})};
}

}  // namespace

TEST_CASE("counts, precision, recall and F1, a threshold being predicted itself") {
  const auto counts = evaluation::count(four_images()[0], 0.5);
  CHECK(counts.true_positives == 1);
  CHECK(counts.false_positives == 1);
  CHECK(counts.false_negatives == 1);
  CHECK(counts.precision() == 0.5);
  CHECK(counts.recall() == 0.5);
  CHECK(counts.f1() == 0.5);
  CHECK(evaluation::count(four_images()[0], 0.51).false_positives == 0);
  const evaluation::Counts nothing;
  CHECK(nothing.precision() == 0);
  CHECK(nothing.recall() == 0);
  CHECK(nothing.f1() == 0);
}

TEST_CASE("F1 of an image without anomalous pixels is 1 if none is predicted, else 0") {
  CHECK(evaluation::image_f1({0, 0, 0}) == 1);
  CHECK(evaluation::image_f1({0, 3, 0}) == 0);
  CHECK(evaluation::image_f1({0, 0, 3}) == 0);
  CHECK(evaluation::image_f1({2, 1, 1}) == Approx(4.0 / 6));
}

TEST_CASE("scores of four images, worked out by hand") {
  const auto scores = evaluation::score(four_images(), 0.5, {"crack"});
  CHECK(scores.pooled.true_positives == 2);
  CHECK(scores.pooled.false_positives == 3);
  CHECK(scores.pooled.false_negatives == 1);
  CHECK(scores.pooled.f1() == Approx(4.0 / 8));
  CHECK(scores.mean_image_f1 == Approx((0.5 + 1 + 1 + 0) / 4));
  // Largest probabilities: anomalous 0.9, 0.8; normal 0.1, 0.7.
  CHECK(scores.image_auroc == Approx(1));
  REQUIRE(scores.types.size() == 3);
  CHECK(scores.types[0].type == "crack");
  CHECK(scores.types[0].seen);
  CHECK(scores.types[0].counts.f1() == 0.5);
  CHECK(scores.types[1].type == "good");
  CHECK(scores.types[1].images == 2);
  CHECK(scores.types[1].counts.false_positives == 2);
  CHECK(scores.types[2].type == "stain");
  CHECK_FALSE(scores.types[2].seen);
  CHECK(scores.types[2].counts.f1() == 1);
  REQUIRE(scores.images.size() == 4);
  CHECK(scores.images[3].id == "n");
  CHECK(scores.images[3].f1 == 0);
}

TEST_CASE("pixel scores of random images agree with brute force") {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const auto images = test::random_images(seed, 4, 6, 9, 0.2);
    const auto scores = evaluation::score(images, 0.6, {});
    CHECK(scores.pooled.f1() == Approx(test::pooled_f1(images, 0.6)));
    CHECK(scores.auroc == Approx(test::pairs_auroc(images)));
    CHECK(scores.average_precision == Approx(test::thresholds_average_precision(images)));
    CHECK(scores.oracle.f1 == Approx(test::thresholds_best_f1(images)));
    CHECK(scores.aupro == Approx(test::thresholds_aupro(images, 0.3)));
    CHECK(scores.types.empty());
  }
}

TEST_CASE("all images normal, or all pixels anomalous: undefined areas become null, nothing else fails") {
  auto images = test::random_images(1, 2, 4, 5, 0.0);
  auto json = evaluation::to_json(evaluation::score(images, 0.5, {}));
  for (const char* key : {"auroc", "average_precision", "aupro", "image_auroc"}) {
    CAPTURE(key);
    CHECK(json.at(key).is_null());
  }
  CHECK(json.at("f1") == 0);
  CHECK(json.at("oracle").at("f1") == 0);
  for (auto& one : images)
    one.mask.assign(16, 1);
  json = evaluation::to_json(evaluation::score(images, 0.0, {}));
  CHECK(json.at("auroc").is_null());
  CHECK(json.at("aupro").is_null());
  CHECK(json.at("average_precision") == 1);
  CHECK(json.at("f1") == 1);
  CHECK(json.at("mean_image_f1") == 1);
  CHECK_NOTHROW(evaluation::to_json(evaluation::score({}, 0.5, {})));
}

TEST_CASE("the JSON form says it all, with seen and unseen kinds apart and normal images in neither") {
  const auto json = evaluation::to_json(evaluation::score(four_images(), 0.5, {"crack"}));
  CHECK(json.at("threshold") == 0.5);
  CHECK(json.at("true_positives") == 2);
  CHECK(json.at("precision") == Approx(0.4));
  CHECK(json.at("recall") == Approx(2.0 / 3));
  CHECK(json.at("seen_types").at("f1") == 0.5);
  CHECK(json.at("seen_types").at("false_positives") == 1);
  CHECK(json.at("unseen_types").at("f1") == 1);
  CHECK(json.at("unseen_types").at("false_positives") == 0);
  REQUIRE(json.at("by_type").size() == 3);
  CHECK(json.at("by_type").at(2).at("type") == "stain");
  CHECK(json.at("by_type").at(2).at("seen") == false);
  REQUIRE(json.at("by_image").size() == 4);
  CHECK(json.at("by_image").at(0).at("id") == "c");
  CHECK(json.at("by_image").at(0).at("f1") == 0.5);
  const auto untyped = evaluation::to_json(evaluation::score(test::random_images(1, 1, 4, 5, 0.5), 0.5, {}));
  CHECK(untyped.at("by_type").empty());
  CHECK_FALSE(untyped.contains("seen_types"));
}
