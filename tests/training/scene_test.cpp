// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/scene.h"

#include <chrono>
#include <condition_variable>
#include <set>
#include <thread>

#include "nbs/error.h"
#include "nbs/training/profile.h"

#include "fakes.h"

using nbs::training::CurrentLosses;
using nbs::training::Tiling;
using nbs::training::TrainingScene;

namespace {

torch::Tensor part(const torch::Tensor& map, std::int64_t y, std::int64_t x, std::int64_t side) {
  return map.slice(0, y, y + side).slice(1, x, x + side);
}

// Notes how many threads are in pixel_loss() at the same time; each waits there for another one, but not for long.
class MeetingAutoencoder : public nbs::test::LinearAutoencoder {
 public:
  MeetingAutoencoder(bool concurrent, std::chrono::milliseconds patience)
      : LinearAutoencoder(3), concurrent_(concurrent), patience_(patience) {}

  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    {
      std::unique_lock<std::mutex> lock(mutex_);
      most = std::max(most, ++inside_);
      arrived_.notify_all();
      arrived_.wait_for(lock, patience_, [&] { return most > 1; });
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    --inside_;
    return LinearAutoencoder::pixel_loss(patches);
  }
  bool concurrent_losses() const override { return concurrent_; }

  int most = 0;

 private:
  const bool concurrent_;
  const std::chrono::milliseconds patience_;
  int inside_ = 0;
  std::mutex mutex_;
  std::condition_variable arrived_;
};

}  // namespace

TEST_CASE(
    "several threads ask an autoencoder at the same time if it says that they may, otherwise one after the other") {
  const auto images = nbs::test::small_images(16, 1, 1, 4);
  const Tiling tiling(16, 4);
  for (const bool concurrent : {true, false}) {
    CAPTURE(concurrent);
    MeetingAutoencoder autoencoder(concurrent, std::chrono::milliseconds(concurrent ? 20000 : 200));
    std::mutex mutex;
    CurrentLosses first(images, tiling, autoencoder, mutex);
    CurrentLosses second(images, tiling, autoencoder, mutex);
    torch::Tensor seen;
    std::thread other([&] { seen = first.window(0, 0, 0, 16, 16).clone(); });
    const auto map = second.window(1, 0, 0, 16, 16).clone();
    other.join();
    CHECK(autoencoder.most == (concurrent ? 2 : 1));
    nbs::test::LinearAutoencoder alone(3);
    CHECK(torch::allclose(seen, alone.pixel_loss(images.images[0].unsqueeze(0))[0]));
    CHECK(torch::allclose(map, alone.pixel_loss(images.images[1].unsqueeze(0))[0]));
  }
}

TEST_CASE("a window of the current loss map is that of the whole map, and only its tiles are evaluated") {
  const auto images = nbs::test::small_images(16, 1, 2, 4);
  nbs::test::LinearAutoencoder autoencoder(3);
  const Tiling tiling(16, 4);
  std::mutex mutex;
  CurrentLosses losses(images, tiling, autoencoder, mutex);
  const auto expected = [&](std::int64_t i) { return autoencoder.pixel_loss(images.images[i].unsqueeze(0))[0]; };
  CHECK(torch::allclose(part(losses.window(1, 3, 3, 2, 2), 3, 3, 2), part(expected(1), 3, 3, 2)));
  CHECK(losses.tiles_evaluated() == 4);
  losses.window(1, 0, 0, 8, 8);
  CHECK(losses.tiles_evaluated() == 4);
  losses.window(1, 4, 4, 8, 4);
  CHECK(losses.tiles_evaluated() == 5);
  // After a step all is out of date, and what is asked for is evaluated anew.
  autoencoder.train_step(nbs::test::whole_of(images));
  losses.invalidate();
  CHECK(torch::allclose(part(losses.window(1, 3, 3, 2, 2), 3, 3, 2), part(expected(1), 3, 3, 2)));
  CHECK(losses.tiles_evaluated() == 9);
  CHECK(torch::allclose(losses.window(2, -8, -8, 40, 40), expected(2)));
  CHECK(losses.tiles_evaluated() == 25);
}

TEST_CASE("a map given from outside is used until the autoencoder changes") {
  const auto images = nbs::test::small_images(16, 1, 1, 4);
  nbs::test::LinearAutoencoder autoencoder(3);
  const Tiling tiling(16, 4);
  std::mutex mutex;
  CurrentLosses losses(images, tiling, autoencoder, mutex);
  losses.set(0, torch::full({16, 16}, 5.0));
  CHECK(losses.window(0, 0, 0, 16, 16).min().item<float>() == 5);
  CHECK(losses.tiles_evaluated() == 0);
  losses.invalidate();
  CHECK(losses.window(0, 0, 0, 16, 16).max().item<float>() < 5);
}

TEST_CASE("there are maps only of the images that were looked at since the autoencoder changed") {
  const auto images = nbs::test::small_images(16, 1, 9, 4);
  nbs::test::LinearAutoencoder autoencoder(3);
  const Tiling tiling(16, 4);
  std::mutex mutex;
  CurrentLosses losses(images, tiling, autoencoder, mutex);
  std::set<const void*> places;
  for (std::int64_t i = 0; i < 10; ++i) {
    const std::int64_t at = i % 2 == 0 ? 0 : 8;
    const auto& map = losses.window(i, at, at, 4, 4);
    places.insert(map.data_ptr());
    // Nothing is left of the image that had the place before.
    CHECK(part(map, 8 - at, 8 - at, 4).abs().max().item<float>() == 0);
    losses.invalidate();
  }
  CHECK(places.size() == 1);
  // Of two that are looked at together, each has its own.
  CHECK(losses.window(0, 0, 0, 4, 4).data_ptr() != losses.window(1, 0, 0, 4, 4).data_ptr());
}

TEST_CASE("with overlapping tiles windows are those of the averaged map") {
  const auto images = nbs::test::small_images(16, 1, 1, 4);
  nbs::test::LinearAutoencoder autoencoder(3);
  const Tiling tiling(16, 8, 3, 1);
  std::mutex mutex;
  CurrentLosses losses(images, tiling, autoencoder, mutex);
  const auto whole = nbs::training::loss_map(autoencoder, tiling, images.images[1]);
  CHECK(torch::allclose(part(losses.window(1, 6, 2, 5, 5), 6, 2, 5), part(whole, 6, 2, 5)));
}

TEST_CASE("a scene numbers its own images and has no masks of unlabeled ones") {
  const auto images = nbs::test::small_images(16, 2, 3, 4);
  nbs::test::LinearAutoencoder autoencoder(3);
  const Tiling tiling(16, 4);
  std::mutex mutex;
  CurrentLosses losses(images, tiling, autoencoder, mutex);
  TrainingScene all(images, losses, 4, 0, 5);
  CHECK(all.image_count() == 5);
  CHECK(all.image_size() == 16);
  CHECK(all.patch_size() == 4);
  CHECK(all.labeled(1));
  CHECK_FALSE(all.labeled(2));
  CHECK(torch::equal(all.mask(1), images.masks[1]));
  CHECK_THROWS_AS(all.mask(2), nbs::Error);
  CHECK_THROWS_AS(all.image(5), nbs::Error);
  CHECK_THROWS_AS(all.image(-1), nbs::Error);
  TrainingScene rest(images, losses, 4, 2, 3);
  CHECK(rest.global(1) == 3);
  CHECK(torch::equal(rest.image(1), images.images[3]));
  CHECK_FALSE(rest.labeled(0));
  CHECK_THROWS_AS(rest.mask(0), nbs::Error);
  CHECK(torch::allclose(part(rest.loss(1, 0, 0, 4, 4), 0, 0, 4),
                        part(autoencoder.pixel_loss(images.images[3].unsqueeze(0))[0], 0, 0, 4)));
}

TEST_CASE("losses of an image that there is not are refused") {
  const auto images = nbs::test::small_images(16, 1, 1, 4);
  nbs::test::LinearAutoencoder autoencoder(3);
  const Tiling tiling(16, 4);
  for (const std::int64_t image : {-1, 2}) {
    nbs::State state;
    nbs::training::StateWriter(state).integers("losses.images", {image});
    std::mutex mutex;
    CurrentLosses losses(images, tiling, autoencoder, mutex);
    CHECK_THROWS_WITH_AS(losses.load(nbs::training::StateReader(state), "losses"),
                         doctest::Contains("but there are 2 images"), nbs::Error);
  }
}

TEST_CASE("a tile that the image does not have is refused when losses are loaded") {
  const auto images = nbs::test::small_images(16, 1, 1, 4);
  nbs::test::LinearAutoencoder autoencoder(3);
  const Tiling tiling(16, 4);
  for (const std::int64_t tile : {-1, 15, 16}) {
    CAPTURE(tile);
    nbs::State state;
    nbs::training::StateWriter writer(state);
    writer.integers("losses.images", {0});
    writer.integers("losses.image0.tiles", {0, tile});
    writer.tensor("losses.image0.map", torch::full({16, 16}, 5.0F));
    std::mutex mutex;
    CurrentLosses losses(images, tiling, autoencoder, mutex);
    const auto load = [&] { losses.load(nbs::training::StateReader(state), "losses"); };
    if (tile == 15) {
      load();
      CHECK(losses.window(0, 12, 12, 4, 4)[15][15].item<float>() == 5);
      CHECK(losses.tiles_evaluated() == 0);
    } else {
      CHECK_THROWS_WITH_AS(load(), doctest::Contains("of image 0, which has 16 of the saved state"), nbs::Error);
    }
  }
}

TEST_CASE("an image of a scene is called as in the data set, or by its number where that has no names") {
  auto images = nbs::test::small_images(16, 1, 2, 4);
  nbs::test::LinearAutoencoder autoencoder(3);
  const Tiling tiling(16, 4);
  std::mutex mutex;
  CurrentLosses losses(images, tiling, autoencoder, mutex);
  const TrainingScene rest(images, losses, 4, 1, 2);
  CHECK(rest.image_id(1) == "2");
  images.ids = {"a/000", "a/001", "b/000"};
  CHECK(rest.image_id(0) == "a/001");
  CHECK(rest.image_id(1) == "b/000");
  CHECK_THROWS_AS(rest.image_id(2), nbs::Error);
}
