// SPDX-License-Identifier: Apache-2.0
// The wall: what training is given neither holds a mask of an unlabeled image nor a way to one.
#include <algorithm>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>

#include "nbs/data/image.h"
#include "nbs/data/sets.h"

#include "error_text.h"
#include "fixtures.h"
#include "scratch.h"

using namespace nbs;
using doctest::Contains;

namespace {

template <typename Set, typename = void>
struct HasSamples : std::false_type {};
template <typename Set>
struct HasSamples<Set, std::void_t<decltype(std::declval<Set&>().samples)>> : std::true_type {};

template <typename Set, typename = void>
struct HasMaskCall : std::false_type {};
template <typename Set>
struct HasMaskCall<Set, std::void_t<decltype(std::declval<Set&>().mask(std::int64_t{0}))>> : std::true_type {};

static_assert(!HasSamples<data::TrainingSet>::value, "a training set must hold no samples: they lead to mask files");
static_assert(!HasMaskCall<data::TrainingSet>::value, "a training set must not open masks");
static_assert(HasMaskCall<data::ScoringSet>::value && HasSamples<data::Listing>::value, "the idioms detect something");
static_assert(!std::is_constructible_v<data::ScoringSet, data::TrainingSet>, "no way from training to scoring");
static_assert(!std::is_convertible_v<data::TrainingSet, data::Listing>, "no way from training to the files");

template <typename... Members>
struct AreNumbersAndTexts
    : std::bool_constant<((std::is_same_v<Members, std::int64_t> || std::is_same_v<Members, std::vector<float>> ||
                           std::is_same_v<Members, std::vector<std::int64_t>> ||
                           std::is_same_v<Members, std::shared_ptr<const data::ImageStore>> ||
                           std::is_same_v<Members, std::vector<data::ViewPlan>> ||
                           std::is_same_v<Members, std::vector<std::string>>)&&...)> {};

// The pixels of all images in one order, whichever of them are labeled; the store has no masks.
static_assert(!HasSamples<data::ImageStore>::value && !HasMaskCall<data::ImageStore>::value,
              "a store of images must not lead to masks");

}  // namespace

TEST_CASE("a training set consists of these ten members of plain data") {
  // An eleventh member, or one of another type (a path, a sample, a callback), does not compile: think of the wall
  // first.
  const auto& [size, labeled, unlabeled, auxiliary, images, places, plans, masks, ids, seen_types] =
      data::TrainingSet{};
  static_assert(AreNumbersAndTexts<std::decay_t<decltype(size)>, std::decay_t<decltype(labeled)>,
                                   std::decay_t<decltype(unlabeled)>, std::decay_t<decltype(auxiliary)>,
                                   std::decay_t<decltype(images)>, std::decay_t<decltype(places)>,
                                   std::decay_t<decltype(plans)>, std::decay_t<decltype(masks)>,
                                   std::decay_t<decltype(ids)>, std::decay_t<decltype(seen_types)>>::value);
  CHECK(size + labeled + unlabeled + auxiliary == 0);
  CHECK((images == nullptr && places.empty() && plans.empty() && masks.empty() && ids.empty() && seen_types.empty()));
}

TEST_CASE("loading the training set opens no mask of an unlabeled image") {
  const test::Scratch scratch;
  test::write_folder_layout(scratch.path(), 6, "abcdef");
  const auto options = test::options_for("folder", scratch.path(), 2);
  const auto listing = data::list_samples(options);
  const auto split = data::draw_split(listing, options);
  for (std::size_t i = 0; i < split.unlabeled.size(); ++i) {
    const auto& mask = listing.samples[static_cast<std::size_t>(split.unlabeled[i])].mask;
    if (i % 2 == 0) {
      std::filesystem::remove(mask);
    } else {
      test::write_bytes(mask, "destroyed");
    }
  }
  const auto set = data::load_training_set(listing, split, options);
  CHECK(set.labeled == 2);
  CHECK(set.unlabeled == 4);
  CHECK(set.images->count() == 6);
  CHECK(set.places.size() == 6);
  CHECK(set.masks.size() == 2 * 16 * 16);
  const data::ScoringSet scoring(listing, split, options);
  CHECK(test::error_text([&] { scoring.mask(0); }) == Contains("cannot be opened"));
  CHECK(test::error_text([&] { scoring.mask(1); }) == Contains("is not an image"));
  // This test would notice: a labeled mask that is destroyed stops the loading.
  test::write_bytes(listing.samples[static_cast<std::size_t>(split.labeled[1])].mask, "destroyed");
  CHECK(test::error_text([&] { data::load_training_set(listing, split, options); }) == Contains("is not an image"));
}

TEST_CASE("images, masks and ids come labeled, unlabeled, auxiliary, as planes of red, green and blue") {
  const test::Scratch scratch;
  const auto plain = [&](const std::string& name, const cv::Scalar& color) {
    test::write_picture(scratch / name, cv::Mat(16, 16, CV_8UC3, color));
  };
  plain("test/good/0.png", {0, 0, 51});        // red 0.2
  plain("test/crack/0.png", {102, 0, 0});      // blue 0.4
  plain("test/stain/0.png", {0, 153, 0});      // green 0.6
  plain("train/good/0.png", {204, 204, 204});  // gray 0.8
  test::write_picture(scratch / "ground_truth" / "crack" / "0_mask.png", test::stripe_mask(16, 16, 3, 5));
  test::write_picture(scratch / "ground_truth" / "stain" / "0_mask.png", test::stripe_mask(16, 16, 0, 16));
  const auto options = test::options_for("mvtec", scratch.path());
  const auto listing = data::list_samples(options);
  const data::Split split{{0}, {1, 2}};  // crack; good, stain
  const auto set = data::load_training_set(listing, split, options);
  CHECK(set.size == 16);
  CHECK(set.auxiliary == 1);
  CHECK(set.ids == std::vector<std::string>{"crack_0", "good_0", "stain_0", "train_good_0"});
  CHECK(set.seen_types == std::vector<std::string>{"crack"});
  const float expected[4][3] = {{0, 0, 0.4F}, {0.2F, 0, 0}, {0, 0.6F, 0}, {0.8F, 0.8F, 0.8F}};
  REQUIRE(set.images->count() == 4);
  for (std::size_t image = 0; image < 4; ++image) {
    for (std::size_t channel = 0; channel < 3; ++channel) {
      std::vector<float> pixels(3 * 256);
      set.images->copy_window(set.places[image], 0, 0, 16, pixels.data());
      const auto* const plane = pixels.data() + channel * 256;
      CHECK(plane[0] == doctest::Approx(expected[image][channel]));
      CHECK(std::all_of(plane, plane + 256, [&](float value) { return value == plane[0]; }));
    }
  }
  REQUIRE(set.masks.size() == 256);
  for (std::size_t i = 0; i < 256; ++i)
    CHECK(set.masks[i] == (i % 16 == 3 || i % 16 == 4 ? 1.0F : 0.0F));

  const data::ScoringSet scoring(listing, split, options);
  REQUIRE(scoring.count() == 2);
  CHECK(scoring.id(1) == "stain_0");
  CHECK(scoring.type(0) == "good");
  CHECK(scoring.has_mask(0));
  CHECK(scoring.mask(0) == std::vector<std::uint8_t>(256, 0));
  CHECK(scoring.mask(1) == std::vector<std::uint8_t>(256, 1));
}

TEST_CASE("a scoring set says which images have no mask") {
  const test::Scratch scratch;
  test::write_picture(scratch / "images" / "a.png", test::color_picture(8, 8));
  const auto options = test::options_for("folder", scratch.path());
  const auto listing = data::list_samples(options);
  const data::ScoringSet scoring(listing, data::draw_split(listing, options), options);
  CHECK_FALSE(scoring.has_mask(0));
  CHECK(test::error_text([&] { scoring.mask(0); }) == Contains("has no mask"));
}
