// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/bootstrap.h"

#include <cmath>

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

TEST_CASE("an image counts by one over the root of its anomalous area, a clean one as much as the mean") {
  const std::vector<ImageScore> images = {counts("small", 3, 2, 1), counts("clean", 0, 8, 0),
                                          counts("large", 4, 6, 12)};
  const auto weights = record::image_weights(images);
  REQUIRE(weights.size() == 3);
  CHECK(weights[0] == Approx(1.0 / 2));
  CHECK(weights[1] == Approx(3.0 / 8));
  CHECK(weights[2] == Approx(1.0 / 4));
  // Found 1.5 + 1, wrong 1 + 3 + 1.5, missed 0.5 + 3.
  const auto scores = record::weighted_scores(images);
  CHECK(scores.precision.value() == Approx(2.5 / 8));
  CHECK(scores.recall.value() == Approx(2.5 / 6));
  CHECK(scores.f1.value() == Approx(5.0 / 14));
  CHECK(scores.true_positives == 7);
  CHECK(scores.false_positives == 16);
  CHECK(scores.false_negatives == 13);
}

TEST_CASE("an interval of mean differences is that of resamples of them, widened as for so few") {
  CHECK_FALSE(record::mean_interval({}).has_value());
  CHECK_FALSE(record::mean_interval({0.25}).has_value());
  const auto same = record::mean_interval({0.125, 0.125, 0.125});
  REQUIRE(same.has_value());
  CHECK(same->low == Approx(0.125));
  CHECK(same->high == Approx(0.125));
  // Two values a and b: a quarter of the resamples has the mean a, half (a + b) / 2, a quarter b. So the ends of nine
  // tenths are a and b, and both are moved away by the root of 2 and Student's 6.314 / 1.645.
  const auto two = record::mean_interval({0.02, 0.04});
  REQUIRE(two.has_value());
  CHECK(two->low == Approx(0.03 - 0.01 * std::sqrt(2.0) * 6.314 / 1.645));
  CHECK(two->high == Approx(0.03 + 0.01 * std::sqrt(2.0) * 6.314 / 1.645));
  // Many values: the normal distribution's, 1.645 standard errors on both sides.
  std::vector<double> many;
  for (int i = 0; i < 400; ++i)
    many.push_back(i % 2 == 0 ? 0.1 : 0.3);
  const auto wide = record::mean_interval(many);
  REQUIRE(wide.has_value());
  CHECK(wide->high - wide->low == Approx(2 * 1.645 * 0.1 / 20).epsilon(0.08));
  CHECK((wide->high + wide->low) / 2 == Approx(0.2).epsilon(0.01));
}

TEST_CASE("nothing predicted has precision 0; nothing to find has no scores and even weights") {
  CHECK(record::weighted_scores({counts("missed", 0, 0, 9)}).precision.value() == 0);
  const std::vector<ImageScore> clean = {counts("a", 0, 8, 0), counts("b", 0, 1, 0)};
  CHECK(record::image_weights(clean) == std::vector<double>{1, 1});
  CHECK_FALSE(record::weighted_scores(clean).f1.has_value());
  CHECK_FALSE(record::weighted_scores(clean).precision.has_value());
}

TEST_CASE("two images say next to nothing: with one degree of freedom the ends leave the range") {
  const auto interval = f1_interval({counts("good", 9, 1, 1), counts("bad", 1, 9, 9)});
  REQUIRE(interval.has_value());
  CHECK(interval->low == 0);
  CHECK(interval->high == 1);
}

TEST_CASE("the ends of five images are those of the resamples, moved away from the estimate") {
  // One of five equal images finds nothing. It is drawn Binomial(5, 1/5) times: never in 0.328 of the resamples, at
  // least twice in 0.263, at least three times in 0.058, at least four times in 0.007. So the ends are those of no and
  // of three draws. Student's t with four degrees of freedom is 2.132 there, the normal distribution 1.645.
  std::vector<ImageScore> images(4, counts("good", 9, 1, 1));
  images.push_back(counts("bad", 0, 10, 10));
  const auto f1 = [](double bad) { return 18 * (5 - bad) / (20 * (5 - bad) + 20 * bad); };
  const double wider = std::sqrt(5.0 / 4) * 2.132 / 1.645;
  const auto interval = f1_interval(images);
  REQUIRE(interval.has_value());
  CHECK(interval->low == Approx(f1(1) + wider * (f1(3) - f1(1))).epsilon(1e-3));
  CHECK(interval->high == Approx(std::min(1.0, f1(1) + wider * (f1(0) - f1(1)))).epsilon(1e-3));
}

TEST_CASE("a single image is its own interval") {
  const auto interval = f1_interval({counts("only", 2, 1, 1)});
  REQUIRE(interval.has_value());
  CHECK(interval->low == Approx(2.0 / 3));
  CHECK(interval->high == Approx(2.0 / 3));
}

TEST_CASE("one bad image in forty is seldom drawn often: the ends are those of the binomial distribution") {
  std::vector<ImageScore> images(39, counts("good", 10, 0, 0));
  images.push_back(counts("bad", 0, 10, 10));
  // It is drawn Binomial(40, 1/40) times: 0 times in 0.363 of the resamples, at least 3 times in 0.079, at least 4 in
  // 0.018. So the low end is that of three times: 370 found, 60 wrong.
  const double estimate = 2 * 390.0 / (2 * 390 + 20);
  const double end = 2 * 370.0 / (2 * 370 + 60);
  const auto interval = f1_interval(images);
  CHECK(interval->high == Approx(1));
  // Student's t with 39 degrees of freedom is 1.685 there.
  CHECK(interval->low == Approx(estimate + std::sqrt(40.0 / 39) * 1.685 / 1.645 * (end - estimate)).epsilon(1e-4));
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

TEST_CASE(
    "the higher expected F1 is the better one, and where they are the same the F1 on the labeled images decides") {
  const auto expecting = [](std::optional<double> f1, std::int64_t found) {
    record::ExpectedScores expected;
    expected.f1 = f1;
    expected.by_image = {counts("a", found, 0, 10 - found)};
    return expected;
  };
  using record::expects_more;
  CHECK(expects_more(expecting(0.6, 1), expecting(0.5, 9)));
  CHECK_FALSE(expects_more(expecting(0.5, 9), expecting(0.6, 1)));
  CHECK(expects_more(expecting(0.5, 9), expecting(0.5, 8)));
  CHECK_FALSE(expects_more(expecting(0.5, 8), expecting(0.5, 9)));
  CHECK_FALSE(expects_more(expecting(0.5, 9), expecting(0.5, 9)));
  CHECK(expects_more(expecting(0.1, 1), expecting(std::nullopt, 9)));
}
