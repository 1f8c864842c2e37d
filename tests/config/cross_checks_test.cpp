// SPDX-License-Identifier: Apache-2.0
#include "example.h"
#include "scratch.h"

using namespace nbs;
using Texts = std::vector<std::string>;

namespace {

// Problems of the good pipeline, with 64 x 64 pixels and crops that fit, after overrides.
Texts problems_with(const std::vector<std::string>& overrides) {
  return test::problems_in(std::string(test::kGood) + "[data]\nimage_size = 64\n[buffer]\ncrop = 64\n", overrides);
}

}  // namespace

TEST_CASE("a patch or crop larger than the image is refused with both sizes") {
  CHECK(problems_with({}).empty());
  CHECK(problems_with({"profile.patch_size=64"}).empty());
  CHECK(problems_with({"profile.patch_size=65"}) ==
        Texts{"--set profile.patch_size=65: the patch (65 x 65, profile.patch_size) is larger than the image (64 x 64, "
              "data.image_size)"});
  CHECK(problems_with({"buffer.crop=65"}) ==
        Texts{"--set buffer.crop=65: buffer.crop is 65, more than the image's 64 pixels (data.image_size)"});
}

TEST_CASE("tiles that leave gaps are refused") {
  CHECK(problems_with({"profile.tile_step=32"}).empty());
  CHECK(problems_with({"profile.tile_step=33"}) ==
        Texts{"--set profile.tile_step=33: profile.tile_step is 33, more than profile.patch_size (32): pixels between "
              "the tiles would have no loss"});
  CHECK(problems_with({"profile.tile_offset=31"}).empty());
  CHECK(problems_with({"profile.tile_offset=32"}) ==
        Texts{"--set profile.tile_offset=32: profile.tile_offset is 32, but must be below the distance between tiles "
              "(32)"});
  CHECK(problems_with({"profile.tile_step=8", "profile.tile_offset=8"}).size() == 1);
  CHECK(problems_with({"profile.typical_blur=7"}).empty());
  CHECK(problems_with({"profile.typical_blur=4"}) ==
        Texts{"--set profile.typical_blur=4: profile.typical_blur is 4, but a square with a pixel in its middle has an "
              "odd side; use 5"});
}

TEST_CASE("a profile that could never be full is refused with the numbers that make it so") {
  // T = 5 maps every 3 iterations: full after 13.
  const std::vector<std::string> profile = {"profile.length=5", "profile.stride=3"};
  const auto with = [&](const char* one, const char* other) {
    auto overrides = profile;
    overrides.insert(overrides.end(), {one, other});
    return problems_with(overrides);
  };
  CHECK(with("train.reinit_every=13", "train.iterations=13").empty());
  CHECK(with("train.reinit_every=0", "train.iterations=13").empty());
  CHECK(
      with("train.reinit_every=12", "train.iterations=13") ==
      Texts{"--set train.reinit_every=12: a profile of 5 maps every 3 iterations is full after 13 iterations, but the "
            "autoencoder is re-initialised every 12 (train.reinit_every): no profile would ever be full"});
  CHECK(with("train.reinit_every=0", "train.iterations=12") ==
        Texts{"--set train.iterations=12: a profile of 5 maps every 3 iterations is full after 13 iterations, but "
              "training ends after 12 (train.iterations)"});
}

TEST_CASE("masks cannot be made from more lives than there are") {
  CHECK(problems_with({"train.iterations=192", "train.reinit_every=64", "profile.lives=3"}).empty());
  // A third life that ends before its profiles are full does not count.
  CHECK(problems_with({"train.iterations=129", "train.reinit_every=64", "profile.lives=3"}).size() == 1);
  CHECK(
      problems_with({"train.iterations=128", "train.reinit_every=64", "profile.lives=3"}) ==
      Texts{
          "--set profile.lives=3: masks are to be made from the last 3 lives of the autoencoder (profile.lives), but "
          "128 iterations with a re-initialisation every 64 (train.reinit_every; 0: never) have 2 with full profiles"});
  CHECK(problems_with({"train.reinit_every=0", "profile.lives=2"}).size() == 1);
}

TEST_CASE("a predictor that would never learn from full profiles is refused") {
  // T = 5 maps every 3 iterations: full after 13 of 16, so in 4 iterations of a life.
  const auto with = [](std::vector<std::string> more) {
    std::vector<std::string> overrides = {"profile.length=5", "profile.stride=3", "train.reinit_every=16"};
    overrides.insert(overrides.end(), more.begin(), more.end());
    return problems_with(overrides);
  };
  CHECK(with({"train.iterations=32", "buffer.every=4"}).empty());
  CHECK(
      with({"train.iterations=32", "buffer.every=5"}) ==
      Texts{"--set buffer.every=5: the predictor learns in every 5-th iteration (buffer.every), but profiles are full "
            "only in the last 4 of an autoencoder's 16: it might never learn while they are; use at most 4"});
  CHECK(with({"train.iterations=32", "buffer.every=5", "train.finish=1"}).empty());
  CHECK(with({"train.iterations=32", "train.finish=1", "train.patience=9"}) ==
        Texts{"--set train.patience=9: train.patience is 9, which would end training before its finish of 1 iterations "
              "(train.finish); set one of the two to 0"});
  CHECK(
      with({"train.iterations=28", "train.finish=1"}) ==
      Texts{"--set train.finish=1: training ends 12 iterations into the last autoencoder's life, but its profiles are "
            "full only after 13: the predictor would finish without them; let train.iterations (28) be a multiple of "
            "train.reinit_every (16)"});
}

TEST_CASE("a sampler without an autoencoder is refused, and the other way round; neither is needed") {
  CHECK(problems_with({"autoencoder.plugin=none"}) ==
        Texts{"p.toml:1:2: there is a [sampler], but no [autoencoder] that its patches could train"});
  CHECK(problems_with({"sampler.plugin=none"}) ==
        Texts{"p.toml:3:2: there is an [autoencoder], but no [sampler] that chooses its patches"});
  // What only an autoencoder uses is not looked at without one.
  CHECK(problems_with({"sampler.plugin=none", "autoencoder.plugin=none", "profile.patch_size=65"}).empty());
}

TEST_CASE("a data folder that is not set or not there is refused before anything runs") {
  const test::Scratch scratch;
  CHECK(problems_with({"data.format=mvtec"}) ==
        Texts{"p.toml:7:2: data.root is not set, but the format \"mvtec\" reads a folder"});
  const auto folder = scratch.path().string();
  CHECK(problems_with({"data.format=mvtec", "data.root=" + folder}).empty());
  CHECK(problems_with({"data.format=mvtec", "data.root=" + folder, "data.category=bottle"}) ==
        Texts{"--set data.root=" + folder + ": the data folder " + folder + "/bottle does not exist"});
  CHECK(problems_with({"data.labeled=25"}) ==
        Texts{"--set data.labeled=25: data.labeled is 25, but only 24 images are generated (data.count)"});
}

TEST_CASE("options are compared only when each of them is right") {
  CHECK(problems_with({"profile.patch_size=65", "seed=-1"}) ==
        Texts{"--set seed=-1: seed must be an integer of at least 0"});
}
