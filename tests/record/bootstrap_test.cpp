// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/bootstrap.h"

#include <doctest/doctest.h>

using namespace nbs;
using doctest::Approx;
using record::f1_difference;
using record::f1_interval;
using record::ImageScore;

namespace {

ImageScore counts(const std::string& id, std::int64_t found, std::int64_t wrong, std::int64_t missed) {
  ImageScore image;
  image.id = id;
  image.true_positives = found;
  image.false_positives = wrong;
  image.false_negatives = missed;
  return image;
}

}  // namespace

TEST_CASE("images that are all alike leave nothing uncertain") {
  const std::vector<ImageScore> images = {counts("a", 3, 1, 1), counts("b", 6, 2, 2), counts("c", 3, 2, 0)};
  const auto interval = f1_interval(images);
  REQUIRE(interval.has_value());
  CHECK(interval->low == Approx(0.75));
  CHECK(interval->high == Approx(0.75));
}

TEST_CASE("of two images, the interval reaches from the one drawn twice to the other drawn twice") {
  // Each happens in a quarter of the resamples, more than the twentieth that is cut off.
  const auto interval = f1_interval({counts("good", 9, 1, 1), counts("bad", 1, 9, 9)});
  REQUIRE(interval.has_value());
  CHECK(interval->low == Approx(0.1));
  CHECK(interval->high == Approx(0.9));
}

TEST_CASE("one bad image in forty is seldom drawn often: the ends are those of the binomial distribution") {
  std::vector<ImageScore> images(39, counts("good", 10, 0, 0));
  images.push_back(counts("bad", 0, 10, 10));
  // It is drawn Binomial(40, 1/40) times: 0 times in 0.363 of the resamples, at least 3 times in 0.079, at least 4 in
  // 0.018. So the low end is that of three times: 370 found, 60 wrong.
  const auto interval = f1_interval(images);
  CHECK(interval->high == Approx(1));
  CHECK(interval->low == Approx(2 * 370.0 / (2 * 370 + 60)));
}

TEST_CASE("what is hard for both leaves their difference certain") {
  const std::vector<ImageScore> a = {counts("easy", 90, 10, 10), counts("hard", 10, 90, 90)};
  const std::vector<ImageScore> b = {counts("easy", 80, 20, 20), counts("hard", 0, 100, 100)};
  const auto difference = f1_difference(a, b);
  REQUIRE(difference.has_value());
  CHECK(difference->low == Approx(0.1));
  CHECK(difference->high == Approx(0.1));
  CHECK(f1_difference(b, a)->low == Approx(-0.1));
}

TEST_CASE("resamples without an anomaly have no F1; nothing is said if none has one, or of other images") {
  const std::vector<ImageScore> one = {counts("clean", 0, 5, 0), counts("marked", 5, 0, 0)};
  const auto interval = f1_interval(one);
  REQUIRE(interval.has_value());
  CHECK(interval->low == Approx(10.0 / 15));
  CHECK(interval->high == Approx(1));
  CHECK_FALSE(f1_interval({counts("clean", 0, 5, 0)}).has_value());
  CHECK_FALSE(f1_interval({}).has_value());
  CHECK_FALSE(f1_interval({ImageScore{}}).has_value());
  CHECK_FALSE(f1_difference(one, {counts("marked", 5, 0, 0), counts("clean", 0, 5, 0)}).has_value());
  CHECK_FALSE(f1_difference(one, {counts("clean", 0, 5, 0)}).has_value());
}
