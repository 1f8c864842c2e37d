// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/tolerance.h"

#include <cmath>
#include <utility>

#include <doctest/doctest.h>

#include "nbs/evaluation/scores.h"

#include "brute_force.h"

using namespace nbs;
using doctest::Approx;
using evaluation::f1_with_tolerance;
using evaluation::ScoredImage;

namespace {

constexpr std::int64_t kSide = 16;

using Points = std::vector<std::pair<std::int64_t, std::int64_t>>;  // y, x

// Certain predictions at some pixels, anomalies at others.
ScoredImage marked(const Points& predicted, const Points& anomalous) {
  ScoredImage image;
  image.height = image.width = kSide;
  image.probability.assign(kSide * kSide, 0.0F);
  image.mask.assign(kSide * kSide, 0);
  for (const auto& [y, x] : predicted)
    image.probability[static_cast<std::size_t>(y * kSide + x)] = 1;
  for (const auto& [y, x] : anomalous)
    image.mask[static_cast<std::size_t>(y * kSide + x)] = 1;
  return image;
}

Points row(std::int64_t y) {
  Points points;
  for (std::int64_t x = 0; x < kSide; ++x)
    points.emplace_back(y, x);
  return points;
}

Points column(std::int64_t x) {
  Points points;
  for (std::int64_t y = 0; y < kSide; ++y)
    points.emplace_back(y, x);
  return points;
}

}  // namespace

TEST_CASE("F1 with tolerance agrees with trying all pairs of pixels") {
  int told_apart = 0;  // images in which every tolerance says something else
  for (unsigned seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    const std::int64_t size = 1 + seed % 20;
    const auto images =
        test::random_images(seed, 1 + static_cast<int>(seed % 3), {size, 1 + (7 * seed) % 20}, 40, 0.005 * (seed % 7));
    for (const double threshold : {0.0, 0.5, 0.9, 0.97, 1.0, 1.1}) {
      CAPTURE(threshold);
      for (const double tolerance : {0.0, 1.0, 1.5, 2.0, 3.0, 5.0}) {
        CAPTURE(tolerance);
        CHECK(f1_with_tolerance(images, threshold, tolerance) ==
              Approx(test::pairs_f1_with_tolerance(images, threshold, tolerance)));
      }
      const auto scores = evaluation::score(images, threshold, {});
      CHECK(*scores.f1_tolerance_2 == Approx(test::pairs_f1_with_tolerance(images, threshold, 2)));
      CHECK(*scores.f1_tolerance_5 == Approx(test::pairs_f1_with_tolerance(images, threshold, 5)));
      if (*scores.f1 < *scores.f1_tolerance_2 && *scores.f1_tolerance_2 < *scores.f1_tolerance_5) ++told_apart;
    }
  }
  CHECK(told_apart >= 50);
}

TEST_CASE("far pixels of a large image do not disturb near ones") {
  const auto images = test::random_images(3, 1, {300, 300}, 400, 0.002);
  for (const double tolerance : {2.0, 5.0, 40.0})
    CHECK(f1_with_tolerance(images, 0.999, tolerance) ==
          Approx(test::pairs_f1_with_tolerance(images, 0.999, tolerance)));
}

TEST_CASE("without tolerance it is the strict F1") {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const auto images = test::random_images(seed, 3, {9, 9}, 9, 0.2);
    CHECK(f1_with_tolerance(images, 0.6, 0) == Approx(test::pooled_f1(images, 0.6)));
  }
}

TEST_CASE("a line beside the true one counts in full up to the tolerance, and not at all beyond it") {
  const auto check = [](const ScoredImage& image, double at_2, double at_5) {
    const auto scores = evaluation::score({image}, 0.5, {});
    CHECK(scores.f1 == 0.0);
    CHECK(scores.iou == 0.0);
    CHECK(scores.f1_tolerance_2 == at_2);
    CHECK(scores.f1_tolerance_5 == at_5);
  };
  for (const std::int64_t shift : {1, 2, 3, 5, 6}) {
    CAPTURE(shift);
    const double at_2 = shift <= 2 ? 1 : 0;
    const double at_5 = shift <= 5 ? 1 : 0;
    check(marked(column(4), column(4 + shift)), at_2, at_5);
    check(marked(column(4 + shift), column(4)), at_2, at_5);
    check(marked(row(4), row(4 + shift)), at_2, at_5);
  }
}

TEST_CASE("distances are Euclidean, and the tolerance itself is near") {
  const auto f1_at = [](std::int64_t y, std::int64_t x, double tolerance) {
    return f1_with_tolerance({marked({{4, 4}}, {{4 + y, 4 + x}})}, 0.5, tolerance);
  };
  CHECK(f1_at(0, 2, 2) == 1);
  CHECK(f1_at(1, 1, 2) == 1);
  CHECK(f1_at(1, 2, 2) == 0);
  CHECK(f1_at(2, 2, 2) == 0);
  CHECK(f1_at(3, 4, 5) == 1);
  CHECK(f1_at(-4, 3, 5) == 1);
  CHECK(f1_at(4, 4, 5) == 0);
  CHECK(f1_at(1, 5, 5) == 0);
  CHECK(f1_at(1, 10, 10.1) == 1);  // 10.05; the usual approximations come to more than 10.1
}

TEST_CASE("one predicted pixel on a true line is all correct and finds what is near it") {
  // Precision 1, recall 5 of 16.
  CHECK(f1_with_tolerance({marked({{7, 7}}, row(7))}, 0.5, 2) == Approx(10.0 / 21));
  // The other way round precision is 5 of 16 and recall 1.
  CHECK(f1_with_tolerance({marked(row(7), {{7, 7}})}, 0.5, 2) == Approx(10.0 / 21));
}

TEST_CASE("precision and recall are those of all images together, and each image has a truth of its own") {
  const auto found = marked({{3, 3}}, {{3, 4}});
  const auto false_alarm = marked({{3, 3}, {9, 9}, {12, 1}}, {});
  const auto missed = marked({}, {{9, 9}});
  CHECK(f1_with_tolerance({found}, 0.5, 2) == 1);
  CHECK(f1_with_tolerance({found, false_alarm}, 0.5, 2) == Approx(0.4));              // precision 1/4, recall 1
  CHECK(f1_with_tolerance({found, missed}, 0.5, 2) == Approx(2.0 / 3));               // precision 1, recall 1/2
  CHECK(f1_with_tolerance({found, false_alarm, missed}, 0.5, 2) == Approx(1.0 / 3));  // 1/4, 1/2
}

TEST_CASE("nothing predicted, nothing to find, or everything of both") {
  CHECK(f1_with_tolerance({marked({}, row(3))}, 0.5, 5) == 0);
  CHECK(f1_with_tolerance({marked(row(3), {})}, 0.5, 5) == 0);
  CHECK(f1_with_tolerance({marked({}, {})}, 0.5, 5) == 0);
  CHECK(f1_with_tolerance({}, 0.5, 5) == 0);
  auto image = marked({}, {});
  image.mask.assign(kSide * kSide, 1);
  CHECK(f1_with_tolerance({image}, 0.0, 5) == 1);
  CHECK(f1_with_tolerance({image}, 0.5, 5) == 0);
}

TEST_CASE("a threshold between two neighboring floats parts them") {
  auto image = marked({}, {{4, 4}});
  const float below = 0.75F;
  const float above = std::nextafter(below, 1.0F);
  const double between = (static_cast<double>(below) + above) / 2;
  image.probability[4 * kSide + 4] = above;
  image.probability[12 * kSide + 12] = below;
  CHECK(f1_with_tolerance({image}, between, 2) == 1);
  const float next = std::nextafter(above, 1.0F);
  image.probability[4 * kSide + 4] = next;
  image.probability[12 * kSide + 12] = above;
  CHECK(f1_with_tolerance({image}, (static_cast<double>(above) + next) / 2, 2) == 1);
}
