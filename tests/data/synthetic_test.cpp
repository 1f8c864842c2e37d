// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/synthetic.h"

#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>

#include "nbs/data/image.h"
#include "nbs/data/sets.h"

#include "fixtures.h"

using namespace nbs;

TEST_CASE("a generated image depends on its arguments alone") {
  for (const auto& [name, surface] : data::surfaces()) {
    CAPTURE(name);
    const auto first = data::synthesize(surface, 40, 11, 2);
    const auto again = data::synthesize(surface, 40, 11, 2);
    CHECK(cv::norm(first.image, again.image, cv::NORM_INF) == 0);
    CHECK(cv::norm(first.mask, again.mask, cv::NORM_INF) == 0);
    CHECK(cv::norm(first.image, data::synthesize(surface, 40, 11, 3).image, cv::NORM_INF) > 0.01);
    CHECK(cv::norm(first.image, data::synthesize(surface, 40, 12, 2).image, cv::NORM_INF) > 0.01);
  }
  const auto wood = data::synthesize(data::Surface::wood, 40, 11, 2).image;
  CHECK(cv::norm(wood, data::synthesize(data::Surface::metal, 40, 11, 2).image, cv::NORM_INF) > 0.01);
}

TEST_CASE("generated images are colors in [0, 1]; masks are small, and empty for good ones only") {
  std::map<std::string, int> types;
  for (std::int64_t index = 0; index < 24; ++index) {
    CAPTURE(index);
    const auto made = data::synthesize(data::Surface::mixed, 64, static_cast<std::uint64_t>(index % 5), index);
    REQUIRE(made.image.type() == CV_32FC3);
    REQUIRE(made.mask.type() == CV_8UC1);
    CHECK(made.image.size() == cv::Size(64, 64));
    double low = 0;
    double high = 0;
    cv::minMaxLoc(made.image.reshape(1), &low, &high);
    CHECK(low >= 0);
    CHECK(high <= 1);
    cv::minMaxLoc(made.mask, &low, &high);
    CHECK(high <= 1);
    const int anomalous = cv::countNonZero(made.mask);
    CHECK((anomalous == 0) == (made.type == "good"));
    CHECK(anomalous < 64 * 64 / 8);
    CHECK(made.type == data::synthetic_type(static_cast<std::uint64_t>(index % 5), index));
    ++types[made.type];
  }
  CHECK(types.size() == 4);
}

TEST_CASE("an anomaly is to be seen: its pixels differ from the surface around") {
  // Stains change color: red less blue is higher inside than outside.
  for (std::int64_t index = 0; index < 6; ++index) {
    const auto made = data::synthesize(data::Surface::metal, 128, 0, index);
    if (made.type != "stain") continue;
    const cv::Scalar inside = cv::mean(made.image, made.mask);
    const cv::Scalar outside = cv::mean(made.image, made.mask == 0);
    CHECK((inside[0] - inside[2]) - (outside[0] - outside[2]) > 0.1);
  }
}

TEST_CASE("the synthetic data set has the wanted count, unique ids, all types, and good auxiliary images") {
  auto options = test::options_for("synthetic", "", 5);
  options.count = 24;
  options.auxiliary = 3;
  const auto listing = data::list_samples(options);
  CHECK(listing.samples.size() == 24);
  REQUIRE(listing.auxiliary.size() == 3);
  std::set<std::string> ids;
  std::map<std::string, int> types;
  for (const auto& sample : listing.samples) {
    ids.insert(sample.id);
    ++types[sample.type];
  }
  for (const auto& sample : listing.auxiliary) {
    ids.insert(sample.id);
    CHECK(sample.type == "good");
    CHECK(cv::countNonZero(data::load_mask(sample, options)) == 0);
    CHECK(sample.index >= 24);
  }
  CHECK(ids.size() == 27);
  CHECK(types.size() == 4);
  CHECK(types["good"] == 4);
  const auto split = data::draw_split(listing, options);
  const auto set = data::load_training_set(listing, split, options);
  CHECK(set.images->count() == 27);
  CHECK(set.images->size() == 16);
  CHECK(set.masks.size() == 5 * 16 * 16);
}
