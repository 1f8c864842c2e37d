// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/rewards.h"

#include "nbs/torch_compat.h"

#include "torch_test.h"

using nbs::Patch;
using nbs::config::RewardOptions;

namespace {

// All of it said here, so that another default does not change what is computed by hand.
RewardOptions example() {
  RewardOptions options;
  options.clone_weight = 1;
  options.cover_weight = 0.1;
  options.prediction_weight = 1;
  options.anneal = 200;
  options.schedule = nbs::config::BetaSchedule::linear;
  options.normalize = false;
  return options;
}

void check_values(const std::vector<double>& found, const std::vector<double>& expected) {
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-9));
  }
}

}  // namespace

TEST_CASE("Eq. 3: beta falls linearly to 0 at iteration L and stays there") {
  RewardOptions options = example();
  options.anneal = 200;
  CHECK(nbs::training::beta(options, 0) == 1.0);
  CHECK(nbs::training::beta(options, 50) == doctest::Approx(0.75));
  CHECK(nbs::training::beta(options, 199) == doctest::Approx(0.005));
  CHECK(nbs::training::beta(options, 200) == 0.0);
  CHECK(nbs::training::beta(options, 100000) == 0.0);
}

TEST_CASE("beta as a hard switch, and without behavior cloning") {
  RewardOptions options = example();
  options.anneal = 200;
  options.schedule = nbs::config::BetaSchedule::hard;
  CHECK(nbs::training::beta(options, 0) == 1.0);
  CHECK(nbs::training::beta(options, 199) == 1.0);
  CHECK(nbs::training::beta(options, 200) == 0.0);
  options.schedule = nbs::config::BetaSchedule::zero;
  CHECK(nbs::training::beta(options, 0) == 0.0);
}

TEST_CASE("R_clone: plus for a clean patch, minus for one with a single anomalous pixel, nothing without a mask") {
  auto masks = torch::zeros({2, 4, 4});
  masks[0][2][3] = 1;
  const std::vector<Patch> patches = {{0, 0, 0}, {0, 0, 2}, {0, 1, 2}, {0, 2, 2}, {0, 2, 1}, {1, 1, 2}, {2, 1, 2}};
  check_values(nbs::training::clone_signs(patches, masks, 2), {1, 1, -1, -1, 1, 1, 0});
  check_values(nbs::training::clone_signs(patches, torch::zeros({0, 4, 4}), 2), {0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("coverage is the share of a patch that the episode had not covered, image by image") {
  const std::vector<Patch> patches = {{0, 0, 0}, {0, 0, 1}, {0, 1, 1}, {0, 1, 1}, {3, 0, 0}, {0, 2, 2}};
  // (1,1) covers row 1 of columns 1 and 2 again; (2,2) meets it in one pixel.
  check_values(nbs::training::new_coverage(patches, 4, 2), {1, 0.5, 0.5, 0, 1, 0.75});
}

TEST_CASE("coverage agrees with a count over pixels for random patches") {
  auto generator = nbs::make_generator(3);
  const auto drawn = torch::randint(0, 8, {40, 2}, generator, torch::kInt64);
  std::vector<Patch> patches;
  for (std::int64_t i = 0; i < 40; ++i)
    patches.push_back({i % 3, drawn[i][0].item<std::int64_t>(), drawn[i][1].item<std::int64_t>()});
  auto seen = torch::zeros({3, 12, 12});
  std::vector<double> expected;
  for (const auto& patch : patches) {
    auto part = seen[patch.image].slice(0, patch.y, patch.y + 5).slice(1, patch.x, patch.x + 5);
    expected.push_back(1 - part.mean().item<double>());
    part.fill_(1);
  }
  const auto found = nbs::training::new_coverage(patches, 12, 5);
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

TEST_CASE("Eq. 3: cloning rewards are beta (R_clone + R_cover), with the options' weights") {
  RewardOptions options = example();
  check_values(nbs::training::cloning_rewards(options, 0.75, {1, -1, 0}, {1, 0.5, 0}), {0.825, -0.7125, 0});
  options.clone_weight = 2;
  options.cover_weight = 0;
  check_values(nbs::training::cloning_rewards(options, 0.5, {1, -1}, {1, 0.5}), {1, -1});
}

TEST_CASE("Eq. 1: the prediction reward is (1 - beta) (-l_pred) at the last step and 0 before") {
  RewardOptions options = example();
  check_values(nbs::training::prediction_rewards(options, 0.75, 3, 0.8), {0, 0, -0.2});
  options.prediction_weight = 3;
  check_values(nbs::training::prediction_rewards(options, 0, 2, 0.5), {0, -1.5});
  CHECK(nbs::training::prediction_rewards(options, 0, 0, 0.5).empty());
}

TEST_CASE("normalizing gives mean 0 and deviation 1, and so loses a reward of the last step alone") {
  check_values(nbs::training::normalized({1, 3}), {-1, 1});
  check_values(nbs::training::normalized({2, 2, 2}), {0, 0, 0});
  CHECK(nbs::training::normalized({}).empty());
  RewardOptions options = example();
  options.normalize = true;
  // Paper, 3.2: a good and a bad episode give the same rewards.
  const std::vector<double> expected = {0.70710678118, 0.70710678118, -1.41421356237};
  check_values(nbs::training::prediction_rewards(options, 0, 3, 0.1), expected);
  check_values(nbs::training::prediction_rewards(options, 0, 3, 5.0), expected);
}
