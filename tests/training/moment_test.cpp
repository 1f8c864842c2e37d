// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/moment.h"

#include <filesystem>

#include "nbs/error.h"
#include "nbs/training/inference.h"

#include "fakes.h"
#include "scratch.h"

using nbs::training::Moment;
using nbs::training::Selection;

TEST_CASE("l_pred is smoothed by a moving average that does not favour its start") {
  nbs::config::TrainOptions options;
  options.smoothing = nbs::config::Smoothing::ema;
  options.smoothing_factor = 0.5;
  Selection selection(options);
  CHECK(selection.smooth(4) == doctest::Approx(4));
  CHECK(selection.smooth(2) == doctest::Approx((0.25 * 4 + 0.5 * 2) / 0.75));
  CHECK(selection.smooth(8) == doctest::Approx((0.125 * 4 + 0.25 * 2 + 0.5 * 8) / 0.875));
  options.smoothing = nbs::config::Smoothing::none;
  Selection plain(options);
  CHECK(plain.smooth(4) == 4);
  CHECK(plain.smooth(2) == 2);
}

TEST_CASE("the moment kept is that of the lowest value; an equal one later does not replace it") {
  nbs::config::TrainOptions options;
  options.selection = nbs::config::Selection::lowest_loss;
  Selection selection(options);
  std::vector<bool> kept;
  for (const double value : {0.9, 1.0, 0.8, 0.8, 0.85, 0.7})
    kept.push_back(selection.judge(value).keep);
  CHECK(kept == std::vector<bool>{true, false, true, false, false, true});
  options.selection = nbs::config::Selection::last;
  Selection last(options);
  CHECK(last.judge(0.5).keep);
  CHECK(last.judge(0.9).keep);
  CHECK_FALSE(last.judge(0.6).lowest);
  CHECK(last.judge(0.4).lowest);
}

TEST_CASE("the state of a component goes through bytes unchanged") {
  nbs::test::LinearAutoencoder original(1);
  nbs::test::LinearAutoencoder copy(2);
  const auto patches = nbs::test::small_images(8, 1, 0, 1).images;
  CHECK_FALSE(torch::equal(original.pixel_loss(patches), copy.pixel_loss(patches)));
  const auto bytes = nbs::training::save_to_bytes(original);
  nbs::training::load_from_bytes(copy, bytes);
  CHECK(torch::equal(original.pixel_loss(patches), copy.pixel_loss(patches)));
  CHECK(nbs::training::save_to_bytes(copy) == bytes);
}

TEST_CASE("a moment written to a folder comes back with every bit") {
  const nbs::test::Scratch scratch;
  nbs::test::LinearAutoencoder autoencoder(1);
  Moment moment;
  moment.iteration = 123;
  moment.loss = 0.1;
  for (int l = 0; l < 2; ++l) {
    nbs::training::Life life;
    for (int t = 0; t < 3; ++t) {
      autoencoder.learn(nbs::test::small_images(8, 1, 0, 1).images);
      life.snapshots.push_back(nbs::training::take_snapshot(autoencoder));
      life.typical.push_back(torch::full({4, 4}, 0.1 * t + l));
    }
    moment.lives.push_back(life);
  }
  moment.predictor = std::string("bytes\0with zeros", 16);
  moment.sampler = "others";
  nbs::training::write_moment(scratch / "model", moment);
  const auto back = nbs::training::read_moment(scratch / "model");
  CHECK(back.iteration == 123);
  CHECK(back.loss == 0.1);
  CHECK(back.predictor == moment.predictor);
  CHECK(back.sampler == moment.sampler);
  REQUIRE(back.lives.size() == 2);
  for (std::size_t l = 0; l < 2; ++l) {
    const auto& read = back.lives[l];
    const auto& written = moment.lives[l];
    REQUIRE(read.snapshots.size() == 3);
    REQUIRE(read.typical.size() == 3);
    for (std::size_t t = 0; t < 3; ++t) {
      CHECK(torch::equal(read.typical[t], written.typical[t]));
      REQUIRE(read.snapshots[t]->size() == written.snapshots[t]->size());
      for (std::size_t i = 0; i < read.snapshots[t]->size(); ++i)
        CHECK(torch::equal((*read.snapshots[t])[i], (*written.snapshots[t])[i]));
    }
  }
}

TEST_CASE("a moment of a predictor alone has neither autoencoders nor a sampler") {
  const nbs::test::Scratch scratch;
  Moment moment;
  moment.iteration = 4;
  moment.predictor = "p";
  nbs::training::write_moment(scratch / "model", moment);
  const auto back = nbs::training::read_moment(scratch / "model");
  CHECK(back.lives.empty());
  CHECK(back.sampler.empty());
  CHECK(back.predictor == "p");
}

TEST_CASE("a model that is missing or damaged is refused in a sentence") {
  const nbs::test::Scratch scratch;
  CHECK_THROWS_AS(nbs::training::read_moment(scratch / "nowhere"), nbs::Error);
  Moment moment;
  moment.predictor = "p";
  nbs::training::write_moment(scratch / "model", moment);
  const auto file = scratch / "model" / "autoencoders.pt";
  std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
  CHECK_THROWS_AS(nbs::training::read_moment(scratch / "model"), nbs::Error);
}
