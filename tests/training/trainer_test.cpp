// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/trainer.h"

#include <algorithm>
#include <set>

#include <malloc.h>

#include "nbs/error.h"
#include "nbs/host/checked.h"
#include "nbs/training/rewards.h"

#include "error_text.h"
#include "fakes.h"

using nbs::test::small_images;
using nbs::test::small_settings;
using nbs::test::SmallRun;
using nbs::training::IterationReport;
using nbs::training::StopReason;

#ifdef __SANITIZE_ADDRESS__
extern "C" std::size_t __sanitizer_get_current_allocated_bytes();  // GCC does not come with the header
#endif

namespace {

std::size_t bytes_in_use() {
#ifdef __SANITIZE_ADDRESS__
  return __sanitizer_get_current_allocated_bytes();  // its own heap, of which the C library knows nothing
#else
  const auto info = mallinfo2();
  return info.uordblks + info.hblkhd;
#endif
}

}  // namespace

TEST_CASE("the same seed gives the same metrics and the same bytes, another seed does not") {
  const auto images = small_images(16, 2, 3, 1);
  SmallRun a;
  SmallRun b;
  SmallRun c;
  const auto first = a.run(images, small_settings(), 5);
  const auto second = b.run(images, small_settings(), 5);
  const auto other = c.run(images, small_settings(), 6);
  REQUIRE(first.best.has_value());
  REQUIRE(other.best.has_value());
  CHECK(first.stop_reason == StopReason::finished);
  CHECK(first.iterations == 20);
  CHECK(a.reports.size() == 20);
  CHECK(nbs::test::same(a.reports, b.reports));
  CHECK(nbs::test::same(*first.best, *second.best));
  CHECK_FALSE(nbs::test::same(a.reports, c.reports));
  CHECK_FALSE(nbs::test::same(first.best->predictor, other.best->predictor));
}

TEST_CASE("the sampler gets the rewards of Eq. 1 and 3 of this iteration, after the warm-up only") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = small_settings();  // K = 8, M = 2, L = 10
  settings.reward.cover_weight = 0.3;
  SmallRun run;
  run.run(images, settings);
  std::size_t update = 0;
  for (std::int64_t j = 0; j < settings.train.iterations; ++j) {
    CAPTURE(j);
    const auto& report = run.reports[j];
    const double beta = std::max(0.0, 1 - static_cast<double>(j) / 10);
    CHECK(*report.value("beta") == doctest::Approx(beta));
    if (j % 8 <= 2) {
      CHECK_FALSE(report.value("sampler_gradient").has_value());
      continue;
    }
    REQUIRE(update < run.sampler->updates.size());
    const auto& given = run.sampler->updates[update++];
    REQUIRE(given.patches.size() == (beta > 0 ? 2 : 1));
    if (beta > 0) {
      const auto& patches = given.patches.front();
      REQUIRE(patches.size() == 6);
      nbs::Rollout rollout;
      rollout.patches = patches;
      const nbs::training::Judge judge(nbs::config::CloneReward::any, images.masks, 16, 8);
      const auto judgements = judge.patches(rollout);
      REQUIRE(given.alternatives.front().size() == 6);
      for (std::size_t i = 0; i < 6; ++i) {
        REQUIRE(patches[i].image < 2);
        const auto mask = images.masks[patches[i].image];
        const bool anomalous =
            mask.slice(0, patches[i].y, patches[i].y + 8).slice(1, patches[i].x, patches[i].x + 8).any().item<bool>();
        const double expected = beta * ((anomalous ? -1 : 1) + 0.3 * judgements[i].coverage);
        CHECK(given.rewards.front()[i] == doctest::Approx(expected).epsilon(1e-9));
        // The sampler names the patch itself and the same place in the other labeled image.
        REQUIRE(given.alternatives.front()[i].size() == 2);
        CHECK(given.alternatives.front()[i][0] == doctest::Approx(expected).epsilon(1e-9));
      }
    }
    CHECK(given.alternatives.back().empty());
    const auto& terminal = given.rewards.back();
    REQUIRE(terminal.size() == 8);
    for (std::size_t i = 0; i + 1 < 8; ++i)
      CHECK(terminal[i] == 0);
    CHECK(terminal.back() == doctest::Approx(-(1 - beta) * *report.value("l_pred")).epsilon(1e-9));
  }
  CHECK(update == run.sampler->updates.size());
}

TEST_CASE("the autoencoder is re-initialized every K iterations and evaluated on labeled images only") {
  const auto images = small_images(16, 2, 3, 1);
  SmallRun run;
  run.run(images, small_settings());
  CHECK(run.autoencoder->cycles == 3);      // at 0, 8 and 16
  CHECK(run.autoencoder->steps == 20 * 2);  // 8 patches in minibatches of 4
  CHECK(run.autoencoder->evaluations ==
        20 * 2 + 3);  // and once that maps can be replayed; this sampler never asks for losses
  auto settings = small_settings();
  settings.train.reinit_every = 0;
  SmallRun never;
  never.run(images, settings);
  CHECK(never.autoencoder->cycles == 1);
}

TEST_CASE("nothing is predicted from profiles that are not full, nor remembered while they are not") {
  const auto images = small_images(16, 2, 3, 1);
  for (const std::int64_t stride : {1, 2}) {
    auto settings = small_settings();
    settings.profile.stride = stride;
    settings.train.selection = nbs::config::Selection::last;  // everything that may be remembered is
    SmallRun run;
    run.run(images, settings);
    const std::int64_t full = 2 * stride;  // maps at ages 0, stride, 2 stride
    for (std::int64_t j = 0; j < 20; ++j) {
      CAPTURE(j);
      CHECK(run.reports[j].value("l_pred").has_value() == (j >= full));
      CHECK(run.reports[j].value("best").has_value() == (j % 8 >= full));
    }
  }
}

TEST_CASE("the predictor learns in every so many-th iteration") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = small_settings();
  settings.buffer.every = 3;
  SmallRun run;
  run.run(images, settings);
  for (std::int64_t j = 0; j < 20; ++j) {
    CAPTURE(j);
    CHECK(run.reports[j].value("l_pred").has_value() == (j >= 2 && j % 3 == 0));
    // R_pred is -l_pred, so there is none in between.
    CHECK(run.reports[j].value("r_pred").has_value() == run.reports[j].value("l_pred").has_value());
  }
}

TEST_CASE("shuffled patches are those of the rollout in another order, which the sampler does not see") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = small_settings();
  settings.augment.flip = false;
  settings.augment.rotate90 = false;
  SmallRun ordered;
  ordered.run(images, settings);
  settings.train.shuffle = true;
  SmallRun shuffled;
  shuffled.run(images, settings);
  auto before = ordered.autoencoder->taught;
  auto after = shuffled.autoencoder->taught;
  REQUIRE(before.size() == 20 * 8);
  REQUIRE(after.size() == before.size());
  int moved = 0;
  for (std::size_t first = 0; first < before.size(); first += 8) {
    for (std::size_t i = first; i < first + 8; ++i)
      moved += before[i] != after[i];
    std::sort(before.begin() + first, before.begin() + first + 8);
    std::sort(after.begin() + first, after.begin() + first + 8);
  }
  CHECK(before == after);
  CHECK(moved > 100);  // 7 of 8 are expected to move
  REQUIRE(shuffled.sampler->updates.size() == ordered.sampler->updates.size());
  for (std::size_t n = 0; n < ordered.sampler->updates.size(); ++n) {
    const auto& kept = ordered.sampler->updates[n].patches.back();
    const auto& same = shuffled.sampler->updates[n].patches.back();
    REQUIRE(kept.size() == same.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      CHECK(kept[i].image == same[i].image);
      CHECK(kept[i].y == same[i].y);
      CHECK(kept[i].x == same[i].x);
    }
  }
}

TEST_CASE("in the last predictor_iterations only the predictor learns, and the profiles stay as they were") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = small_settings();
  settings.train.selection = nbs::config::Selection::last;
  settings.buffer.every = 4;
  settings.train.iterations = 16;
  SmallRun without;
  without.run(images, settings);
  settings.train.predictor_iterations = 5;
  SmallRun run;
  const auto outcome = run.run(images, settings);
  CHECK(outcome.iterations == 21);
  CHECK(run.autoencoder->steps == without.autoencoder->steps);
  CHECK(run.autoencoder->cycles == 2);  // none at 16
  CHECK(run.sampler->updates.size() == without.sampler->updates.size());
  for (std::int64_t j = 16; j < 21; ++j) {
    CAPTURE(j);
    CHECK(run.reports[j].value("l_pred").has_value());
    CHECK_FALSE(run.reports[j].value("ae_loss").has_value());
  }
  REQUIRE(outcome.best.has_value());
  CHECK(outcome.best->iteration == 20);
  REQUIRE(outcome.best->cycles.size() == 1);
  REQUIRE(outcome.best->cycles[0].snapshots.size() == 3);
  // The parameters are those that the run without it had when it ended.
  const auto& last = *outcome.best->cycles[0].snapshots.back();
  const auto live = without.autoencoder->state();
  for (std::size_t i = 0; i < last.size(); ++i)
    CHECK(torch::equal(last[i], live[i]));
}

TEST_CASE("predictor_iterations for a predictor that learns nothing are refused") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = small_settings();
  settings.train.predictor_iterations = 5;
  SmallRun run;
  run.predictor->teachable = false;
  CHECK_THROWS_WITH_AS(
      run.run(images, settings),
      "train.predictor_iterations is 5, iterations in which only the predictor learns, but this predictor learns "
      "nothing; set it to 0",
      nbs::Error);
}

TEST_CASE("memory does not grow with the number of iterations") {
  const auto images = small_images(32, 2, 3, 1);
  auto settings = small_settings();
  settings.train.iterations = 400;
  SmallRun run;
  nbs::training::Trainer trainer(images, run.components(), settings, 5);
  std::size_t early = 0;
  std::size_t late = 0;
  trainer.run(
      [&](const IterationReport& report) {
        run.sampler->updates.clear();
        if (report.iteration != 100 && report.iteration != 396) return;  // both 4 after a re-initialization
        (report.iteration == 100 ? early : late) = bytes_in_use();
      },
      [] { return false; });
  // One loss map (4 KiB) kept for each iteration would be 1.2 MB.
  CHECK(early > 0);
  CHECK(late < early + 100000);
}

TEST_CASE("pieces that are missing are named") {
  const auto images = small_images(16, 2, 3, 1);
  SmallRun run;
  auto components = run.components();
  components.sampler.reset();
  CHECK_THROWS_AS(nbs::training::Trainer(images, components, small_settings(), 1), nbs::Error);
  components = run.components();
  components.autoencoder.reset();
  CHECK_THROWS_AS(nbs::training::Trainer(images, components, small_settings(), 1), nbs::Error);
  auto settings = small_settings();
  settings.train.autoencoder_images = nbs::config::AutoencoderImages::auxiliary;  // there are none
  CHECK_THROWS_AS(nbs::training::Trainer(images, run.components(), settings, 1), nbs::Error);
  CHECK_THROWS_AS(nbs::training::Trainer(small_images(16, 0, 3, 1), run.components(), small_settings(), 1), nbs::Error);
}

TEST_CASE("the sampler is told of every cycle of the autoencoder before the first rollout in it") {
  const auto images = small_images(16, 2, 3, 1);
  SmallRun run;
  run.run(images, small_settings());
  // Two rollouts an iteration, and new cycles at the iterations 0, 8 and 16.
  CHECK(run.sampler->cycles_at == std::vector<std::int64_t>{0, 16, 32});
}

namespace {

// Breaks what the replay of profiles rests on, in the way that `how` says.
class Unfaithful : public nbs::test::LinearAutoencoder {
 public:
  explicit Unfaithful(std::string how) : LinearAutoencoder(12), how_(std::move(how)) {}
  double train_step(const torch::Tensor& patches) override {
    hidden_ += 0.01;
    return LinearAutoencoder::train_step(patches);
  }
  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    auto losses = LinearAutoencoder::pixel_loss(patches);
    if (how_ == "hidden") losses.add_(hidden_);
    if (how_ == "batch") losses.div_(losses.mean());
    return losses;
  }
  std::vector<torch::Tensor> state() override {
    auto tensors = LinearAutoencoder::state();
    ++calls_;
    if (how_ == "clones") return {tensors[0].clone(), tensors[1].clone()};
    if (how_ == "swaps" && calls_ % 2 == 0) std::swap(tensors[0], tensors[1]);
    if (how_ == "grows") tensors.resize(2 + static_cast<std::size_t>(calls_), tensors[0]);
    if (how_ == "reshapes" && calls_ > 3) tensors[0] = tensors[0].view({1, 3, 1, 1});
    return tensors;
  }

 private:
  std::string how_;
  double hidden_ = 0;
  std::int64_t calls_ = 0;
};

doctest::String trained_with(const std::string& how) {
  SmallRun run;
  run.autoencoder = std::make_shared<Unfaithful>(how);
  const auto images = small_images(16, 2, 3, 1);
  return nbs::test::error_text([&] { run.run(images, small_settings()); });
}

}  // namespace
