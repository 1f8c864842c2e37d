// SPDX-License-Identifier: Apache-2.0
// The readers on data sets as published; see real_data() for where they are looked for.
#include <string>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>

#include "nbs/data/image.h"
#include "nbs/data/sets.h"

#include "fixtures.h"
#include "scratch.h"

using namespace nbs;

TEST_CASE("CrackForest as published") {
  const auto root = test::real_data();
  if (!root || !std::filesystem::is_directory(*root / "crackforest")) {
    MESSAGE("skipped: no folder crackforest below NBS_TEST_DATA");
    return;
  }
  auto options = test::options_for("crackforest", *root / "crackforest", 5);
  options.image_size = 64;
  const auto listing = data::list_samples(options);
  CHECK(listing.samples.size() == 118);
  CHECK(listing.samples.front().id == "001");
  CHECK(listing.auxiliary.empty());
  const cv::Mat image = data::read_image(listing.samples[0].image);
  CHECK(image.size() == cv::Size(480, 320));
  // Labels grow with the option; the first image shows a crack.
  const cv::Mat road = data::read_mask_mat(listing.samples[0].mask, {1});
  const cv::Mat crack = data::read_mask_mat(listing.samples[0].mask, {2});
  const cv::Mat all = data::read_mask_mat(listing.samples[0].mask, {1, 2, 3, 4});
  CHECK(crack.size() == image.size());
  CHECK(cv::countNonZero(all) == 480 * 320);
  CHECK(cv::countNonZero(road & crack) == 0);
  CHECK(cv::countNonZero(crack) > 200);
  CHECK(cv::countNonZero(crack) < 480 * 320 / 10);
  const auto split = data::draw_split(listing, options);
  const auto set = data::load_training_set(listing, split, options);
  CHECK(set.ids.size() == 118);
  CHECK(set.seen_types.empty());
  float sum = 0;
  for (const float value : set.masks)
    sum += value;
  CHECK(sum > 0);
}

TEST_CASE("an MVTec class as published") {
  const auto root = test::real_data();
  if (!root || !std::filesystem::is_directory(*root / "mvtec" / "bottle")) {
    MESSAGE("skipped: no folder mvtec/bottle below NBS_TEST_DATA");
    return;
  }
  auto options = test::options_for("mvtec", *root / "mvtec", 10);
  options.category = "bottle";
  options.auxiliary = 3;
  const auto listing = data::list_samples(options);
  CHECK(listing.samples.size() == 83);
  CHECK(listing.auxiliary.size() == 3);
  CHECK(listing.samples.front().id == "broken_large_000");
  CHECK(listing.samples.back().id == "good_019");
  CHECK(cv::countNonZero(data::load_mask(listing.samples.front(), options)) > 0);
  CHECK(cv::countNonZero(data::load_mask(listing.samples.back(), options)) == 0);
  CHECK(data::load_image(listing.auxiliary.front(), options).size() == cv::Size(16, 16));
}
