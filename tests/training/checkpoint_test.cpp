// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/checkpoint.h"

#include "fakes.h"

using nbs::training::CheckpointSelector;

TEST_CASE("l_pred is smoothed by a moving average that does not favor its start") {
  nbs::config::TrainOptions options;
  options.smoothing = nbs::config::Smoothing::ema;
  options.smoothing_factor = 0.5;
  CheckpointSelector selection(options);
  CHECK(selection.smooth(4) == doctest::Approx(4));
  CHECK(selection.smooth(2) == doctest::Approx((0.25 * 4 + 0.5 * 2) / 0.75));
  CHECK(selection.smooth(8) == doctest::Approx((0.125 * 4 + 0.25 * 2 + 0.5 * 8) / 0.875));
  options.smoothing = nbs::config::Smoothing::none;
  CheckpointSelector plain(options);
  CHECK(plain.smooth(4) == 4);
  CHECK(plain.smooth(2) == 2);
}

TEST_CASE("the checkpoint kept is that of the lowest value; an equal one later does not replace it") {
  nbs::config::TrainOptions options;
  options.selection = nbs::config::Selection::lowest_loss;
  CheckpointSelector selection(options);
  std::vector<bool> kept;
  for (const double value : {0.9, 1.0, 0.8, 0.8, 0.85, 0.7})
    kept.push_back(selection.judge(value).keep);
  CHECK(kept == std::vector<bool>{true, false, true, false, false, true});
  options.selection = nbs::config::Selection::last;
  CheckpointSelector last(options);
  CHECK(last.judge(0.5).keep);
  CHECK(last.judge(0.9).keep);
  CHECK_FALSE(last.judge(0.6).lowest);
  CHECK(last.judge(0.4).lowest);
}
