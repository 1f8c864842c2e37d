// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/profile.h"

#include <deque>

#include "nbs/training/buffer.h"

#include "fakes.h"

using nbs::training::BufferedProfile;
using nbs::training::ParameterRing;
using nbs::training::ProfileBuffer;
using nbs::training::Tiling;

TEST_CASE("replayed profiles are those of a loop that evaluates every image after every step, bit for bit") {
  nbs::test::LinearAutoencoder autoencoder(7);
  const auto images = nbs::test::small_images(16, 2, 3, 1);
  for (const auto& [step, offset] : {std::pair{0, 0}, std::pair{0, 3}, std::pair{4, 1}}) {
    const Tiling tiling(16, 8, step, offset);
    ParameterRing ring(4);
    std::vector<std::deque<torch::Tensor>> textbook(5);
    for (int iteration = 0; iteration < 9; ++iteration) {
      autoencoder.train_step(nbs::test::whole_of(images).slice(2, 0, 8).slice(3, iteration, iteration + 8));
      ring.push(nbs::training::take_snapshot(autoencoder));
      for (std::int64_t i = 0; i < 5; ++i) {
        textbook[i].push_back(nbs::training::loss_map(autoencoder, tiling, images.images[i]).clone());
        if (textbook[i].size() > 4) textbook[i].pop_front();
      }
    }
    REQUIRE(ring.full());
    const std::vector<nbs::training::Snapshot> snapshots(ring.snapshots().begin(), ring.snapshots().end());
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto expected = torch::stack(std::vector<torch::Tensor>(textbook[i].begin(), textbook[i].end()));
      CHECK(torch::equal(nbs::training::replay_profile(autoencoder, tiling, snapshots, images.images[i]), expected));
      CHECK_FALSE(torch::equal(expected[0], expected[3]));
    }
  }
}

TEST_CASE("a snapshot is a copy: later steps do not touch it, and it can be put back") {
  nbs::test::LinearAutoencoder autoencoder(2);
  const auto patches = nbs::test::whole_of(nbs::test::small_images(8, 1, 1, 3));
  const auto before = autoencoder.pixel_loss(patches);
  const auto snapshot = nbs::training::take_snapshot(autoencoder);
  for (int i = 0; i < 3; ++i)
    autoencoder.train_step(patches);
  CHECK_FALSE(torch::equal(autoencoder.pixel_loss(patches), before));
  nbs::training::restore_snapshot(autoencoder, snapshot);
  CHECK(torch::equal(autoencoder.pixel_loss(patches), before));
  autoencoder.train_step(patches);
  nbs::training::restore_snapshot(autoencoder, snapshot);
  CHECK(torch::equal(autoencoder.pixel_loss(patches), before));
}

TEST_CASE("the ring keeps the last T parameter sets, oldest first") {
  ParameterRing ring(3);
  const auto numbered = [](double number) {
    return std::make_shared<const std::vector<torch::Tensor>>(std::vector<torch::Tensor>{torch::tensor(number)});
  };
  for (int i = 0; i < 100; ++i) {
    CHECK(ring.full() == (i >= 3));
    ring.push(numbered(i));
    CHECK(ring.snapshots().size() <= 3);
  }
  for (std::size_t t = 0; t < 3; ++t)
    CHECK((*ring.snapshots()[t])[0].item<double>() == 97.0 + static_cast<double>(t));
  ring.clear();
  CHECK_FALSE(ring.full());
  CHECK(ring.snapshots().empty());
}

TEST_CASE("a profile is divided by its own mean, or each map by its own, then transformed") {
  nbs::config::ProfileOptions options;
  const auto profile = torch::tensor({{{1.0F, 2.0F}, {3.0F, 2.0F}}, {{4.0F, 0.0F}, {6.0F, 2.0F}}});  // means 2 and 3
  const auto scales = [&] { return nbs::training::profile_scales(options, nbs::training::map_means(profile)); };
  CHECK(scales() == std::vector<double>{2.5, 2.5});
  const auto plain = nbs::training::prepare_profile(options, profile, scales());
  CHECK(torch::allclose(plain, profile / 2.5));
  CHECK(plain.mean().item<double>() == doctest::Approx(1));
  options.normalize = nbs::config::ProfileNormalization::map;
  CHECK(scales() == std::vector<double>{2, 3});
  const auto by_map = nbs::training::prepare_profile(options, profile, scales());
  CHECK(torch::allclose(by_map[0], profile[0] / 2));
  CHECK(torch::allclose(by_map[1], profile[1] / 3));
  options.transform = nbs::config::ProfileTransform::log;
  const auto logarithm = nbs::training::prepare_profile(options, profile, {2, 2});
  CHECK(logarithm[0][0][0].item<double>() == doctest::Approx(std::log(0.51)).epsilon(1e-5));
  CHECK(logarithm[1][0][1].item<double>() == doctest::Approx(std::log(0.01)).epsilon(1e-5));
  options.normalize = nbs::config::ProfileNormalization::none;
  CHECK(scales() == std::vector<double>{1, 1});
  // The profile itself is left as it was recorded.
  CHECK(profile[1][0][1].item<double>() == 0);
}

TEST_CASE("a profile of zeros stays one of zeros") {
  nbs::config::ProfileOptions options;
  const auto zeros = torch::zeros({2, 3, 3});
  using Normalization = nbs::config::ProfileNormalization;
  for (const auto normalize : {Normalization::mean, Normalization::map, Normalization::none}) {
    options.normalize = normalize;
    const auto scales = nbs::training::profile_scales(options, nbs::training::map_means(zeros));
    CHECK(scales == std::vector<double>{1, 1});
    CHECK(torch::equal(nbs::training::prepare_profile(options, zeros, scales), zeros));
  }
}

TEST_CASE("the buffer holds its capacity, and the oldest leaves first") {
  ProfileBuffer buffer(3);
  CHECK(buffer.empty());
  for (std::int64_t i = 0; i < 5; ++i) {
    BufferedProfile profile;
    profile.image = i;
    buffer.push(profile);
    CHECK(buffer.size() == std::min<std::int64_t>(i + 1, 3));
  }
  for (std::int64_t i = 0; i < 3; ++i)
    CHECK(buffer.at(i).image == i + 2);
}
