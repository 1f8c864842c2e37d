// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/predictor_trainer.h"

#include "torch_test.h"

using nbs::training::planned_steps;
using nbs::training::Settings;

namespace {

// Iteration by iteration, as Algorithm 1 goes.
std::int64_t counted(const Settings& settings, bool from_profiles) {
  std::int64_t steps = 0;
  std::int64_t recorded = 0;
  for (std::int64_t j = 0; j < settings.train.iterations + settings.train.predictor_iterations; ++j) {
    if (j < settings.train.iterations && j % settings.profile.stride == 0) ++recorded;
    const bool due = j >= settings.train.iterations || j % settings.buffer.every == 0;
    const bool has_input = !from_profiles || recorded >= settings.profile.length;
    if (due && has_input) steps += settings.buffer.steps;
  }
  return steps;
}

}  // namespace

TEST_CASE("the planned steps are those that a run takes") {
  for (const std::int64_t every : {1, 3, 4}) {
    for (const std::int64_t stride : {1, 5}) {
      for (const std::int64_t iterations : {40, 41, 43}) {
        Settings settings;
        settings.profile.length = 4;
        settings.profile.stride = stride;
        settings.buffer.every = every;
        settings.buffer.steps = 2;
        settings.train.iterations = iterations;
        settings.train.predictor_iterations = 7;
        CAPTURE(every);
        CAPTURE(stride);
        CAPTURE(iterations);
        for (const bool from_profiles : {false, true})
          CHECK(planned_steps(settings, from_profiles) == counted(settings, from_profiles));
      }
    }
  }
}

TEST_CASE("a fold takes its share of them") {
  Settings settings;
  settings.buffer.steps = 3;
  settings.train.iterations = 400;
  settings.train.predictor_iterations = 0;
  CHECK(planned_steps(settings, false, 0.4) == 480);
  CHECK(planned_steps(settings, false, 0) == 0);
  settings.train.student_iterations = 50;
  CHECK(nbs::training::planned_student_steps(settings) == 150);
  CHECK(nbs::training::planned_student_steps(settings, 0.5) == 75);
}
