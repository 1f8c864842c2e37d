// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/batches.h"

#include <cmath>
#include <map>
#include <set>

#include "fakes.h"

using nbs::Random;
using nbs::training::BufferedProfile;
using nbs::training::dihedral;
using nbs::training::LabeledViews;
using nbs::training::ProfileBuffer;
using nbs::training::TrainingImages;

namespace {

constexpr std::int64_t kSize = 16;

// Every pixel's value tells where it comes from; so does the mask, in its own way.
torch::Tensor places() {
  return torch::arange(1, kSize * kSize + 1, torch::kFloat32).view({kSize, kSize});
}
torch::Tensor mask_of(const torch::Tensor& numbers) {
  return (numbers.mul(7919).remainder(13) < 4).to(torch::kFloat32);
}

TrainingImages numbered_images() {
  TrainingImages images;
  images.labeled = 1;
  images.images = (places() / 512).expand({1, 3, kSize, kSize}).contiguous();
  images.masks = mask_of(places()).unsqueeze(0);
  return images;
}

ProfileBuffer numbered_profiles() {
  ProfileBuffer buffer(4);
  BufferedProfile profile;
  profile.maps = {places(), places() * 2};
  profile.scales = {1, 1};
  buffer.push(profile);
  return buffer;
}

// Which of the eight symmetries of the square a crop of numbers shows: the steps to the right and down.
std::pair<float, float> orientation(const torch::Tensor& numbers) {
  return {numbers[0][1].item<float>() - numbers[0][0].item<float>(),
          numbers[1][0].item<float>() - numbers[0][0].item<float>()};
}

}  // namespace

TEST_CASE("the eight turns are the eight symmetries of the square, 0 among them as nothing") {
  const auto numbers = places();
  CHECK(torch::equal(dihedral(numbers, 0), numbers));
  std::set<std::pair<float, float>> seen;
  for (std::int64_t index = 0; index < 8; ++index) {
    const auto turned = dihedral(numbers, index);
    CHECK(torch::equal(nbs::training::dihedral_back(turned, index), numbers));
    seen.insert(orientation(turned));
    bool known = false;
    for (std::int64_t quarter = 0; quarter < 4; ++quarter) {
      const auto rotated = torch::rot90(numbers, quarter, {0, 1});
      known = known || torch::equal(turned, rotated) || torch::equal(turned, rotated.flip({0}));
    }
    CHECK(known);
  }
  CHECK(seen.size() == 8);
}

namespace {

std::vector<const BufferedProfile*> all_of(const ProfileBuffer& buffer) {
  std::vector<const BufferedProfile*> all;
  for (std::int64_t i = 0; i < buffer.size(); ++i)
    all.push_back(&buffer.at(i));
  return all;
}

std::vector<std::int64_t> every_labeled(const nbs::training::TrainingImages& images) {
  std::vector<std::int64_t> all;
  for (std::int64_t i = 0; i < images.labeled; ++i)
    all.push_back(i);
  return all;
}

}  // namespace

TEST_CASE("profile, mask and image of a crop stay aligned under crops and turns") {
  const auto images = numbered_images();
  const auto buffer = numbered_profiles();
  nbs::config::BufferOptions options;
  options.batch = 100;
  options.crop = 6;
  Random random(3);
  const auto batch = nbs::training::draw_profiles(all_of(buffer), LabeledViews(images), {}, options, {}, true, random);
  CHECK(batch.input.profile.sizes().vec() == std::vector<std::int64_t>{100, 2, 6, 6});
  CHECK(batch.input.image.sizes().vec() == std::vector<std::int64_t>{100, 3, 6, 6});
  CHECK(batch.masks.sizes().vec() == std::vector<std::int64_t>{100, 6, 6});
  const auto first = batch.input.profile.select(1, 0);
  CHECK(torch::equal(batch.masks, mask_of(first)));
  CHECK(torch::equal(batch.input.profile.select(1, 1), 2 * first));
  CHECK(torch::equal(batch.input.image.select(1, 2), first / 512));
  std::set<std::pair<float, float>> seen;
  std::set<float> corners;
  for (std::int64_t b = 0; b < 100; ++b) {
    seen.insert(orientation(first[b]));
    corners.insert(first[b].min().item<float>());
  }
  CHECK(seen.size() == 8);
  CHECK(corners.size() > 40);  // of 121 places
  CHECK(*corners.begin() >= 1);
  options.dihedral = false;
  const auto upright =
      nbs::training::draw_profiles(all_of(buffer), LabeledViews(images), {}, options, {}, false, random);
  CHECK_FALSE(upright.input.image.defined());
  for (std::int64_t b = 0; b < 100; ++b)
    CHECK(orientation(upright.input.profile[b][0]) == std::pair<float, float>(1, 16));
}

TEST_CASE("profile, mask and image of a crop stay aligned when they are warped") {
  const auto images = numbered_images();
  const auto buffer = numbered_profiles();
  nbs::config::BufferOptions options;
  options.batch = 50;
  options.crop = 7;
  nbs::data::AugmentOptions augment;
  augment.rotation = 40;
  augment.scale = 0.2;
  augment.elastic = 0.5;
  Random random(5);
  const auto batch =
      nbs::training::draw_profiles(all_of(buffer), LabeledViews(images), {}, options, augment, true, random);
  const auto first = batch.input.profile.select(1, 0);
  CHECK(torch::allclose(batch.input.image.select(1, 2), first / 512, 1e-4, 1e-5));
  CHECK(torch::allclose(batch.input.profile.select(1, 1), 2 * first, 1e-4, 1e-3));
  CHECK(torch::logical_or(batch.masks == 0, batch.masks == 1).all().item<bool>());
  // Between the pixels: what was only cut out would be whole numbers.
  CHECK((first - first.round()).abs().max().item<float>() > 0.05);
}

TEST_CASE("whole images are drawn for crop 0, scaled and transformed as profiles are at inference") {
  const auto images = numbered_images();
  ProfileBuffer buffer(1);
  BufferedProfile profile;
  profile.maps = {places(), places() * 3};
  profile.scales = {257, 43};
  buffer.push(profile);
  nbs::config::BufferOptions options;
  options.batch = 1;
  options.crop = 0;
  options.dihedral = false;
  nbs::config::ProfileOptions shape;
  shape.transform = nbs::config::ProfileTransform::log;
  Random random(1);
  const auto batch =
      nbs::training::draw_profiles(all_of(buffer), LabeledViews(images), shape, options, {}, false, random);
  const auto expected = nbs::training::prepare_profile(shape, torch::stack(profile.maps), profile.scales);
  CHECK(torch::allclose(batch.input.profile[0], expected));
  CHECK(torch::equal(batch.masks[0], images.masks[0]));
  CHECK(torch::equal(profile.maps[0], places()));
}

TEST_CASE("gain is one factor for each loss map with mean 1 over the profile; noise is one for each value") {
  const auto images = numbered_images();
  const auto buffer = numbered_profiles();
  nbs::config::BufferOptions options;
  options.batch = 50;
  options.dihedral = false;
  options.crop = 0;
  options.gain = 0.5;
  Random random(9);
  const auto drawn =
      nbs::training::draw_profiles(all_of(buffer), LabeledViews(images), {}, options, {}, false, random).input.profile;
  const auto factors = drawn / torch::stack({places(), 2 * places()});
  CHECK((factors.amax({2, 3}) - factors.amin({2, 3})).max().item<double>() < 1e-5);
  CHECK(torch::allclose(factors.mean({1, 2, 3}), torch::ones({50})));
  CHECK(factors.select(1, 0).std().item<double>() > 0.1);
  options.gain = 0;
  options.noise = 0.1;
  const auto noisy =
      nbs::training::draw_profiles(all_of(buffer), LabeledViews(images), {}, options, {}, false, random).input.profile;
  const auto logarithm = (noisy / torch::stack({places(), 2 * places()})).log();
  CHECK(logarithm.std().item<double>() == doctest::Approx(0.1).epsilon(0.05));
  CHECK(std::abs(logarithm.mean().item<double>()) < 0.01);
}

TEST_CASE("crops of images stay aligned with their masks") {
  const auto images = numbered_images();
  nbs::config::BufferOptions options;
  options.batch = 60;
  options.crop = 8;
  Random random(4);
  nbs::data::AugmentOptions augment;
  augment.flip = true;
  augment.rotate90 = true;
  const auto batch =
      nbs::training::draw_images(every_labeled(images), LabeledViews(images), nullptr, options, augment, random);
  CHECK_FALSE(batch.input.profile.defined());
  CHECK(torch::equal(batch.masks, mask_of((batch.input.image.select(1, 0) * 512).round())));
  std::set<std::pair<float, float>> seen;
  for (std::int64_t b = 0; b < 60; ++b)
    seen.insert(orientation(batch.input.image[b][0] * 512));
  CHECK(seen.size() == 8);
}

namespace {

// Two numbered images; the second shows one anomalous pixel, in row 2 and column 9.
TrainingImages with_one_anomalous_pixel() {
  auto images = numbered_images();
  images.labeled = 2;
  images.images = images.image(0).expand({2, 3, kSize, kSize}).contiguous();
  images.masks = torch::zeros({2, kSize, kSize});
  images.masks[1][2][9] = 1;
  return images;
}

}  // namespace

TEST_CASE("as many crops as asked for show an anomalous pixel, at every place of the crop that the image allows") {
  const auto images = with_one_anomalous_pixel();
  nbs::config::BufferOptions options;
  options.batch = 4000;
  options.crop = 5;
  nbs::data::AugmentOptions unturned;
  unturned.flip = false;
  unturned.rotate90 = false;
  Random random(6);
  std::map<std::pair<std::int64_t, std::int64_t>, int> places_seen;
  for (const double share : {0.0, 0.25, 1.0}) {
    options.anomalous_crops = share;
    const auto batch =
        nbs::training::draw_images(every_labeled(images), LabeledViews(images), nullptr, options, unturned, random);
    const auto showing = batch.masks.flatten(1).any(1).sum().item<double>() / 4000;
    // Of the others, half are of this image, and 3 x 5 of its 12 x 12 windows show the pixel.
    const double expected = share + (1 - share) * 0.5 * (3 * 5) / (12 * 12);
    CHECK(std::abs(showing - expected) < 4 * std::sqrt(expected * (1 - expected) / 4000 + 1e-12));
    if (share < 1) continue;
    const auto found = batch.masks.nonzero();
    REQUIRE(found.size(0) == 4000);
    for (std::int64_t i = 0; i < found.size(0); ++i)
      ++places_seen[{found[i][1].item<std::int64_t>(), found[i][2].item<std::int64_t>()}];
  }
  // The image begins two rows above the pixel, so a window shows it in its rows 0, 1 and 2.
  REQUIRE(places_seen.size() == 3 * 5);
  double deviation = 0;  // chi-squared with 14 degrees of freedom: below 36 in 999 of 1000
  for (const auto& [place, count] : places_seen) {
    CHECK(place.first <= 2);
    deviation += std::pow(count - 4000 / 15.0, 2) / (4000 / 15.0);
  }
  CHECK(deviation < 36);
}

TEST_CASE("crops of profiles are drawn around anomalous pixels, too, and anywhere if no profile shows one") {
  const auto images = with_one_anomalous_pixel();
  ProfileBuffer buffer(4);
  for (const std::int64_t image : {0, 1, 0}) {
    BufferedProfile profile;
    profile.image = image;
    profile.maps = {places()};
    profile.scales = {1};
    buffer.push(profile);
  }
  nbs::config::BufferOptions options;
  options.batch = 200;
  options.crop = 5;
  options.anomalous_crops = 1;
  Random random(7);
  auto batch = nbs::training::draw_profiles(all_of(buffer), LabeledViews(images), {}, options, {}, false, random);
  CHECK(batch.masks.flatten(1).sum(1).eq(1).all().item<bool>());
  const std::vector<const BufferedProfile*> normal = {&buffer.at(0), &buffer.at(2)};
  batch = nbs::training::draw_profiles(normal, LabeledViews(images), {}, options, {}, false, random);
  CHECK(batch.masks.sum().item<double>() == 0);
}

TEST_CASE("an image and its mask are rotated, scaled and bent together, and the original is left alone") {
  auto images = nbs::test::small_images(64, 1, 0, 1);
  images.image(0).zero_();
  images.masks.zero_();
  images.images[0].slice(1, 20, 44).slice(2, 10, 34).fill_(1);
  images.masks[0].slice(0, 20, 44).slice(1, 10, 34).fill_(1);
  const auto before = images.image(0).clone();
  nbs::config::BufferOptions options;
  options.batch = 8;
  options.crop = 0;
  nbs::data::AugmentOptions augment;
  augment.rotation = 45;
  augment.scale = 0.2;
  augment.elastic = 2;
  Random random(5);
  const auto batch =
      nbs::training::draw_images(every_labeled(images), LabeledViews(images), nullptr, options, augment, random);
  const auto bright = (batch.input.image.select(1, 0) > 0.5).to(torch::kFloat32);
  for (std::int64_t b = 0; b < 8; ++b) {
    const double overlap = (bright[b] * batch.masks[b]).sum().item<double>();
    CHECK(2 * overlap / (bright[b].sum().item<double>() + batch.masks[b].sum().item<double>()) > 0.95);
    CHECK_FALSE(torch::equal(batch.masks[b], images.masks[0]));
  }
  CHECK(torch::equal(images.image(0), before));
}

TEST_CASE("patches are turned as the options allow, and nothing else happens to them") {
  const auto patch = (places() / 512).expand({1, 3, kSize, kSize});
  const auto patches = patch.expand({64, 3, kSize, kSize}).contiguous();
  const auto seen_with = [&](bool flip, bool rotate) {
    nbs::data::AugmentOptions augment;
    augment.flip = flip;
    augment.rotate90 = rotate;
    Random random(8);
    const auto changed = nbs::training::augment_patches(patches, augment, random);
    std::set<std::pair<float, float>> seen;
    for (std::int64_t b = 0; b < 64; ++b) {
      seen.insert(orientation(changed[b][1] * 512));
      CHECK(torch::equal(std::get<0>(changed[b].flatten().sort()), std::get<0>(patches[b].flatten().sort())));
    }
    return seen;
  };
  using Seen = std::set<std::pair<float, float>>;
  CHECK(seen_with(false, false) == Seen{{1, 16}});
  CHECK(seen_with(true, false) == Seen{{1, 16}, {-1, 16}, {1, -16}, {-1, -16}});
  CHECK(seen_with(false, true) == Seen{{1, 16}, {16, -1}, {-1, -16}, {-16, 1}});  // quarter turns, no mirror image
  CHECK(seen_with(true, true).size() == 8);
}

TEST_CASE("colors of the autoencoder's patches stay if augment.color_patches says so") {
  Random values(1);
  auto patches = torch::empty({3, 3, 8, 8});
  for (std::int64_t i = 0; i < patches.numel(); ++i)
    patches.data_ptr<float>()[i] = static_cast<float>(values.uniform());
  nbs::data::AugmentOptions augment;
  augment.flip = augment.rotate90 = false;
  augment.brightness = 0.1;
  augment.noise = 0.02;
  Random random(8);
  CHECK_FALSE(torch::equal(nbs::training::augment_patches(patches, augment, random), patches));
  augment.color_patches = false;
  CHECK(torch::equal(nbs::training::augment_patches(patches, augment, random), patches));
}
