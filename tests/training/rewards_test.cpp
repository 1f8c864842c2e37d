// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/rewards.h"

#include "nbs/torch_compat.h"

#include "torch_test.h"

using nbs::Patch;
using nbs::Rollout;
using nbs::config::CloneReward;
using nbs::config::RewardOptions;
using nbs::training::cloning_rewards;
using nbs::training::Judge;
using nbs::training::PatchJudgement;

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

Rollout episode(std::vector<Patch> patches) {
  Rollout rollout;
  rollout.patches = std::move(patches);
  return rollout;
}

// Patches of 5 x 5 pixels in three images of 12 x 12.
Rollout random_episode(std::int64_t count, std::uint64_t seed) {
  auto generator = nbs::make_generator(seed);
  const auto drawn = torch::randint(0, 8, {count, 2}, generator, torch::kInt64);
  Rollout rollout;
  for (std::int64_t i = 0; i < count; ++i)
    rollout.patches.push_back({i % 3, drawn[i][0].item<std::int64_t>(), drawn[i][1].item<std::int64_t>()});
  return rollout;
}

std::vector<double> clones(const std::vector<PatchJudgement>& judgements) {
  std::vector<double> values;
  for (const auto& judgement : judgements)
    values.push_back(judgement.clone);
  return values;
}

std::vector<double> coverages(const std::vector<PatchJudgement>& judgements) {
  std::vector<double> values;
  for (const auto& judgement : judgements)
    values.push_back(judgement.coverage);
  return values;
}

std::vector<double> normalized(std::vector<double> rewards) {
  const nbs::training::Normalization normalization(rewards);
  normalization.apply(rewards);
  return rewards;
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
  const auto rollout = episode({{0, 0, 0}, {0, 0, 2}, {0, 1, 2}, {0, 2, 2}, {0, 2, 1}, {1, 1, 2}, {2, 1, 2}});
  check_values(clones(Judge(CloneReward::any, masks, 4, 2).patches(rollout)), {1, 1, -1, -1, 1, 1, 0});
  check_values(clones(Judge(CloneReward::any, torch::zeros({0, 4, 4}), 4, 2).patches(rollout)), {0, 0, 0, 0, 0, 0, 0});
  check_values(clones(Judge(CloneReward::any, {}, 4, 2).patches(rollout)), {0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("R_clone by the anomalous share of a patch, from 1 for none to -1 for all of it") {
  auto masks = torch::zeros({2, 4, 4});
  masks[0].slice(0, 1, 4).slice(1, 2, 4).fill_(1);  // rows 1 to 3, columns 2 and 3
  const auto rollout = episode({{0, 0, 0}, {0, 0, 2}, {0, 1, 2}, {0, 2, 1}, {0, 0, 1}, {1, 1, 2}, {2, 1, 2}});
  check_values(clones(Judge(CloneReward::share, masks, 4, 2).patches(rollout)), {1, 0, -1, 0, 0.5, 1, 0});
  // Masks that are a view of a larger tensor are read by their own rows.
  auto wide = torch::zeros({2, 4, 8});
  wide.slice(2, 4, 8).copy_(masks);
  check_values(clones(Judge(CloneReward::share, wide.slice(2, 4, 8), 4, 2).patches(rollout)), {1, 0, -1, 0, 0.5, 1, 0});
}

TEST_CASE("coverage is the share of a patch that the episode had not covered, image by image") {
  const auto rollout = episode({{0, 0, 0}, {0, 0, 1}, {0, 1, 1}, {0, 1, 1}, {3, 0, 0}, {0, 2, 2}});
  // (1,1) covers row 1 of columns 1 and 2 again; (2,2) meets it in one pixel.
  check_values(coverages(Judge(CloneReward::any, {}, 4, 2).patches(rollout)), {1, 0.5, 0.5, 0, 1, 0.75});
}

TEST_CASE("coverage agrees with a count over pixels for random patches") {
  const auto rollout = random_episode(40, 3);
  auto seen = torch::zeros({3, 12, 12});
  std::vector<double> expected;
  for (const auto& patch : rollout.patches) {
    auto part = seen[patch.image].slice(0, patch.y, patch.y + 5).slice(1, patch.x, patch.x + 5);
    expected.push_back(1 - part.mean().item<double>());
    part.fill_(1);
  }
  const auto found = coverages(Judge(CloneReward::any, {}, 12, 5).patches(rollout));
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == doctest::Approx(expected[i]).epsilon(1e-6));
}

TEST_CASE("an alternative is judged as its patch would be, had it been chosen at that step") {
  auto generator = nbs::make_generator(7);
  const auto masks = (torch::rand({2, 12, 12}, generator) < 0.3).to(torch::kFloat32);
  auto rollout = random_episode(15, 3);
  for (std::uint64_t t = 0; t < 15; ++t)
    rollout.alternatives.push_back(random_episode(t % 4, 20 + t).patches);
  for (const auto kind : {CloneReward::any, CloneReward::share}) {
    const Judge judge(kind, masks, 12, 5);
    const auto found = judge.alternatives(rollout);
    REQUIRE(found.size() == 15);
    for (std::size_t t = 0; t < 15; ++t) {
      REQUIRE(found[t].size() == t % 4);
      for (std::size_t a = 0; a < found[t].size(); ++a) {
        CAPTURE(t);
        CAPTURE(a);
        auto other = episode({rollout.patches.begin(), rollout.patches.begin() + static_cast<std::ptrdiff_t>(t)});
        other.patches.push_back(rollout.alternatives[t][a]);
        const auto expected = judge.patches(other).back();
        CHECK(found[t][a].clone == expected.clone);
        CHECK(found[t][a].coverage == expected.coverage);
      }
    }
  }
}

TEST_CASE("Eq. 3: cloning rewards are beta (R_clone + R_cover), with the options' weights") {
  RewardOptions options = example();
  const auto rewards = cloning_rewards(options, 0.75, {{1, 1}, {-1, 0.5}, {0, 0}}, {{{1, 0}}, {}, {{-1, 1}, {0, 0.5}}});
  check_values(rewards.patches, {0.825, -0.7125, 0});
  REQUIRE(rewards.alternatives.size() == 3);
  check_values(rewards.alternatives[0], {0.75});
  check_values(rewards.alternatives[1], {});
  check_values(rewards.alternatives[2], {-0.675, 0.0375});
  options.clone_weight = 2;
  options.cover_weight = 0;
  check_values(cloning_rewards(options, 0.5, {{1, 1}, {-1, 0.5}}, {}).patches, {1, -1});
}

TEST_CASE("Eq. 1: the prediction reward is (1 - beta) (-l_pred) at the last step and 0 before") {
  RewardOptions options = example();
  check_values(nbs::training::prediction_rewards(options, 0.75, 3, 0.8), {0, 0, -0.2});
  options.prediction_weight = 3;
  check_values(nbs::training::prediction_rewards(options, 0, 2, 0.5), {0, -1.5});
  CHECK(nbs::training::prediction_rewards(options, 0, 0, 0.5).empty());
}

TEST_CASE("normalizing gives mean 0 and deviation 1, and so loses a reward of the last step alone") {
  check_values(normalized({1, 3}), {-1, 1});
  check_values(normalized({2, 2, 2}), {0, 0, 0});
  CHECK(normalized({}).empty());
  RewardOptions options = example();
  options.normalize = true;
  // Alternatives stay comparable with what was chosen: they are brought to the same scale, not to their own.
  const auto cloning = cloning_rewards(options, 1, {{1, 0}, {-1, 0}}, {{{1, 0}, {0, 0}}, {{-1, 1}}});
  check_values(cloning.patches, {1, -1});
  check_values(cloning.alternatives[0], {1, 0});
  check_values(cloning.alternatives[1], {-0.9});
  // Paper, 3.2: a good and a bad episode give the same rewards.
  const std::vector<double> expected = {0.70710678118, 0.70710678118, -1.41421356237};
  check_values(nbs::training::prediction_rewards(options, 0, 3, 0.1), expected);
  check_values(nbs::training::prediction_rewards(options, 0, 3, 5.0), expected);
}
