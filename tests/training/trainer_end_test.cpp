// SPDX-License-Identifier: Apache-2.0
// Which checkpoint of a training is kept, and how training ends.
#include "nbs/error.h"
#include "nbs/host/checked.h"
#include "nbs/training/trainer.h"

#include "error_text.h"
#include "fakes.h"

using nbs::test::small_images;
using nbs::test::small_settings;
using nbs::test::SmallRun;
using nbs::training::IterationReport;
using nbs::training::StopReason;

TEST_CASE("the checkpoint kept is that of the lowest smoothed loss, and patience counts from it") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = small_settings();
  settings.train.reinit_every = 0;
  settings.train.smoothing = nbs::config::Smoothing::none;
  settings.train.patience = 4;
  SmallRun run;
  // The first loss is that of iteration 2.
  run.predictor->script = {0.9, 0.5, 0.7, 0.4, 0.6, 0.45, 0.41, 0.4, 0.1, 0.1, 0.1};
  const auto outcome = run.run(images, settings);
  CHECK(outcome.stop_reason == StopReason::patience);
  REQUIRE(outcome.best.has_value());
  CHECK(outcome.best->iteration == 5);
  CHECK(outcome.best->loss == 0.4);
  CHECK(outcome.iterations == 10);  // 5 and four more
  CHECK(run.reports.back().iteration == 9);
  // Where the last checkpoint is kept, patience still waits for a lower loss.
  settings.train.selection = nbs::config::Selection::last;
  SmallRun last;
  last.predictor->script = run.predictor->script;
  const auto latest = last.run(images, settings);
  CHECK(latest.stop_reason == StopReason::patience);
  CHECK(latest.iterations == 10);
  CHECK(latest.best->iteration == 9);
  settings.train.selection = nbs::config::Selection::lowest_loss;
  // With a moving average (factor 1/2, corrected) by hand: 0.9, 0.6333, 0.6714, 0.5267, …
  settings.train.smoothing = nbs::config::Smoothing::ema;
  settings.train.smoothing_factor = 0.5;
  settings.train.patience = 0;
  SmallRun smoothed;
  smoothed.predictor->script = {0.9, 0.5, 0.7, 0.4};
  settings.train.iterations = 6;
  const auto average = smoothed.run(images, settings);
  CHECK(*smoothed.reports[3].value("l_pred_smoothed") == doctest::Approx((0.25 * 0.9 + 0.5 * 0.5) / 0.75));
  CHECK(average.best->loss == doctest::Approx((0.0625 * 0.9 + 0.125 * 0.5 + 0.25 * 0.7 + 0.5 * 0.4) / 0.9375));
}

TEST_CASE("what is remembered is of that checkpoint and not of a later one") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = small_settings();
  settings.train.reinit_every = 0;
  settings.train.smoothing = nbs::config::Smoothing::none;
  settings.train.iterations = 6;
  const std::vector<double> script = {0.9, 0.5, 0.7, 0.1, 0.6, 0.6, 0.6, 0.6};
  SmallRun until;
  until.predictor->script = script;
  const auto stopped = until.run(images, settings);
  settings.train.iterations = 9;
  SmallRun beyond;
  beyond.predictor->script = script;
  const auto outcome = beyond.run(images, settings);
  REQUIRE(stopped.best.has_value());
  REQUIRE(outcome.best.has_value());
  CHECK(outcome.best->iteration == 5);
  CHECK(nbs::test::same(*outcome.best, *stopped.best));
  // The predictor's state is that after the step of that iteration, and it went on learning.
  CHECK(nbs::test::same(nbs::test::saved(*until.predictor), outcome.best->predictor));
  CHECK_FALSE(nbs::test::same(nbs::test::saved(*beyond.predictor), outcome.best->predictor));
}

TEST_CASE("a loss that is no number ends training with the iteration and the likely cause; the last good state stays") {
  const auto images = small_images(16, 2, 3, 1);
  const auto settings = small_settings();
  const auto check = [&](SmallRun& run, const char* cause, std::int64_t last) {
    const auto outcome = run.run(images, settings);
    CHECK(outcome.stop_reason == StopReason::diverged);
    CHECK(outcome.iterations == last);
    CHECK(run.reports.size() == static_cast<std::size_t>(last));
    CAPTURE(outcome.explanation);
    CHECK(outcome.explanation.find("iteration " + std::to_string(last)) != std::string::npos);
    CHECK(outcome.explanation.find("learning rate") != std::string::npos);
    CHECK(outcome.explanation.find(cause) != std::string::npos);
    REQUIRE(outcome.best.has_value());
    CHECK(outcome.best->iteration < last);
    for (const auto& snapshot : outcome.best->cycles.at(0).snapshots) {
      for (const auto& tensor : *snapshot)
        CHECK(torch::isfinite(tensor).all().item<bool>());
    }
  };
  SUBCASE("predictor") {
    SmallRun run;
    run.predictor->break_at_step = 4;  // its first step is in iteration 2
    check(run, "predictor", 5);
  }
  SUBCASE("autoencoder, seen by its next step") {
    SmallRun run;
    run.autoencoder->break_at_step = 2 * 5 + 1;  // first of the two steps of iteration 5
    check(run, "autoencoder", 5);
  }
  SUBCASE("autoencoder, by the last step of an iteration") {
    SmallRun run;
    run.autoencoder->break_at_step = 2 * 5 + 2;
    check(run, "autoencoder", 5);
  }
  SUBCASE("sampler") {
    SmallRun run;
    run.sampler->break_at_update = 3;  // updates in iterations 3, 4, 5
    check(run, "sampler", 5);
  }
}

TEST_CASE("the host's checks do not turn a diverged autoencoder into a lost run") {
  const auto images = small_images(16, 2, 3, 1);
  SmallRun run;
  run.autoencoder->break_at_step = 2 * 5 + 2;
  auto components = run.components();
  components.sampler = nbs::host::checked(components.sampler, {"noting", ""});
  components.autoencoder = nbs::host::checked(components.autoencoder, {"linear", ""});
  components.predictor = nbs::host::checked(components.predictor, {"mean", ""});
  nbs::training::Trainer trainer(images, components, small_settings(), 5);
  const auto outcome = trainer.run([](const IterationReport&) {}, [] { return false; });
  CHECK(outcome.stop_reason == StopReason::diverged);
  CHECK(outcome.iterations == 5);
  CHECK(outcome.best.has_value());
}

TEST_CASE("an interrupt ends training before the next iteration, with what there is") {
  const auto images = small_images(16, 2, 3, 1);
  SmallRun run;
  int asked = 0;
  const auto outcome = run.run(images, small_settings(), 5, [&] { return ++asked > 6; });
  CHECK(outcome.stop_reason == StopReason::interrupted);
  CHECK(outcome.iterations == 6);
  CHECK(run.reports.size() == 6);
  CHECK(outcome.best.has_value());
}

TEST_CASE("an autoencoder whose profiles could not be replayed ends the run as soon as the first is full") {
  CHECK(trained_with("faithful") == "no error");
  for (const char* how : {"hidden", "clones", "swaps"}) {
    CAPTURE(how);
    CHECK(trained_with(how) ==
          doctest::Contains("the autoencoder's loss maps cannot be replayed: with what state() gave "
                            "put back, a map differs from the one recorded then by up to "));
  }
  CHECK(trained_with("batch") == doctest::Contains("when the patch is alone in its batch; it must not depend on"));
  CHECK(trained_with("grows") == doctest::Contains("must give the same live tensors in the same order at every call, "
                                                   "but it gives "));
  CHECK(trained_with("reshapes") == doctest::Contains("tensor 0 has the shape [1, 3, 1, 1] now, but had [3, 1, 1]"));
}
