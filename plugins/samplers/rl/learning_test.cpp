// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <torch/autograd.h>

#include "sampler.h"
#include "test_sampler.h"
#include "test_scene.h"
#include "torch_test.h"

using nbs::RewardedRollout;
using nbs::Rollout;
using nbs::rl::Baseline;
using nbs::rl::Credit;
using nbs::rl::Made;
using nbs::rl::memory_of;
using nbs::rl::RlSampler;
using nbs::rl::saved;
using nbs::rl::small_options;
using nbs::rl::TestScene;

namespace {

double norm_of(RlSampler& sampler, const torch::Tensor& objective) {
  double squares = 0;
  for (const auto& gradient : torch::autograd::grad({objective}, sampler.policy()->parameters()))
    squares += gradient.square().sum().item<double>();
  return std::sqrt(squares);
}

double gradient_told(const std::vector<std::pair<std::string, double>>& told) {
  for (const auto& [name, value] : told) {
    if (name == "gradient") return value;
  }
  return -1;
}

// A learning step at 1e-3 is Adam's first on `objective`: as far as the rate, against each parameter's gradient,
// wherever that is far from 0.
void check_step(RlSampler& sampler, const std::vector<RewardedRollout>& rewarded, const torch::Tensor& objective) {
  const auto parameters = sampler.policy()->parameters();
  const auto gradients = torch::autograd::grad({objective}, parameters);
  std::vector<torch::Tensor> before;
  before.reserve(parameters.size());
  for (const auto& parameter : parameters)
    before.push_back(parameter.detach().clone());
  const auto told = sampler.train_step(rewarded);
  double squares = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& gradient = gradients[i];
    squares += gradient.square().sum().item<double>();
    const auto far = gradient.abs() > 1e-4;
    CHECK(torch::allclose((parameters[i].detach() - before[i]) * far, -1e-3 * gradient.sign() * far, 1e-2, 1e-6));
  }
  REQUIRE(squares > 0);
  CHECK(gradient_told(told) == doctest::Approx(std::sqrt(squares)).epsilon(1e-3));
}

// A dark and a bright half; a reward of 1 for every patch whose center is in the left one.
TestScene halves() {
  auto images = torch::full({2, 3, 64, 64}, 0.2);
  images.slice(3, 32, 64).fill_(0.9);
  return {images, torch::ones({2, 64, 64}), 8};
}

std::vector<double> left_rewards(const Rollout& rollout) {
  std::vector<double> rewards;
  for (const auto& patch : rollout.patches)
    rewards.push_back(patch.x + 4 < 32 ? 1 : 0);
  return rewards;
}

double share_left(RlSampler& sampler, TestScene& scene) {
  double sum = 0;
  for (int i = 0; i < 20; ++i) {
    for (const double reward : left_rewards(sampler.sample(scene, 32)))
      sum += reward / (20 * 32);
  }
  return sum;
}

}  // namespace

TEST_CASE("a learning step is Adam's on Eq. 4 of all rollouts together") {
  auto options = small_options();
  options.baseline = Baseline::none;
  options.gamma = 0.8;
  options.learning_rate = 1e-3;
  Made made(options, 6);
  auto scene = TestScene::random(2, 40, 10, 1);
  const auto rollouts = made.sampler.sample_all({{&scene, 10}, {&scene, 14}});
  std::vector<RewardedRollout> rewarded(2);
  auto generator = nbs::make_generator(8);
  for (std::size_t i = 0; i < 2; ++i) {
    rewarded[i].rollout = &rollouts[i];
    for (std::size_t t = 0; t < rollouts[i].patches.size(); ++t)
      rewarded[i].rewards.push_back(torch::randn({1}, generator).item<double>());
  }
  auto& policy = made.sampler.policy();
  // -(1/N) sum_t G_t log pi(a_t | s_t), written out.
  const auto objective = [&] {
    auto sum = torch::zeros({});
    for (const auto& one : rewarded) {
      const auto& memory = memory_of(*one.rollout);
      const auto logits = policy->forward(made.sampler.states(memory).permute({0, 3, 1, 2}));
      const auto count = static_cast<std::int64_t>(one.rewards.size());
      for (std::int64_t t = 0; t < count; ++t) {
        double later = 0;
        for (std::int64_t k = t; k < count; ++k)
          later += std::pow(0.8, static_cast<double>(k - t)) * one.rewards[k];
        const auto chosen = logits[t][memory.actions[t].item<std::int64_t>()] - torch::logsumexp(logits[t], 0);
        sum = sum - later * chosen / static_cast<double>(count);
      }
    }
    return sum;
  };
  check_step(made.sampler, rewarded, objective());
  // Once more from the same rollouts: what the policy says of their states by now counts.
  const double before = norm_of(made.sampler, objective());
  for (int i = 0; i < 10; ++i)
    made.sampler.train_step(rewarded);
  const double expected = norm_of(made.sampler, objective());
  CHECK(std::abs(before - expected) > 0.1 * expected);
  CHECK(gradient_told(made.sampler.train_step(rewarded)) == doctest::Approx(expected).epsilon(1e-3));
}

TEST_CASE(
    "with credit for all actions, a learning step is Adam's on what all of them bring now, and Eq. 4 on the rest") {
  auto options = small_options();
  options.credit = Credit::all;
  options.baseline = Baseline::none;
  options.gamma = 0.8;
  options.entropy_bonus = 0.3;
  options.learning_rate = 1e-3;
  Made made(options, 6);
  {
    // Far from equal chances, where the entropy would have no slope.
    torch::NoGradGuard no_grad;
    made.sampler.policy()->head()->weight.mul_(20);
  }
  made.sampler.load(saved(made.sampler));  // how new parameters reach rollouts
  auto scene = TestScene::random(2, 40, 10, 1);
  const auto rollouts = made.sampler.sample_all({{&scene, 10}, {&scene, 14}});
  std::vector<RewardedRollout> rewarded(2);
  auto generator = nbs::make_generator(8);
  const auto all = torch::randn({10, 9}, generator);
  rewarded[0].rollout = &rollouts[0];
  for (std::int64_t t = 0; t < 10; ++t) {
    rewarded[0].rewards.push_back(all[t][memory_of(rollouts[0]).actions[t].item<std::int64_t>()].item<double>());
    rewarded[0].alternatives.emplace_back(9);
    for (std::int64_t a = 0; a < 9; ++a)
      rewarded[0].alternatives[static_cast<std::size_t>(t)][static_cast<std::size_t>(a)] = all[t][a].item<double>();
  }
  // The second is a rollout whose only reward is the last, of which no alternative has one.
  rewarded[1].rollout = &rollouts[1];
  rewarded[1].rewards.assign(14, 0.0);
  rewarded[1].rewards.back() = -0.7;
  rewarded[1].index = 1;
  auto& policy = made.sampler.policy();
  auto objective = torch::zeros({});
  auto entropies = torch::zeros({});
  double sizes = 0;  // of what an action brought less what was to be expected
  for (const auto& one : rewarded) {
    const auto& memory = memory_of(*one.rollout);
    const auto logits = policy->forward(made.sampler.states(memory).permute({0, 3, 1, 2}));
    const auto count = static_cast<std::int64_t>(one.rewards.size());
    for (std::int64_t t = 0; t < count; ++t) {
      const std::int64_t first = one.alternatives.empty() ? t : t + 1;
      double later = 0;
      for (std::int64_t k = first; k < count; ++k)
        later += std::pow(0.8, static_cast<double>(k - t)) * one.rewards[k];
      const auto log_probabilities = logits[t] - torch::logsumexp(logits[t], 0);
      objective = objective - later * log_probabilities[memory.actions[t].item<std::int64_t>()] / count;
      const auto probabilities = log_probabilities.exp();
      entropies = entropies - (probabilities * log_probabilities).sum();
      if (one.alternatives.empty()) {
        sizes += std::abs(later);
        continue;
      }
      objective = objective - (probabilities * all[t]).sum() / count;
      sizes += std::abs(one.rewards[t] - (probabilities * all[t]).sum().item<double>() + later);
    }
  }
  objective = objective - 0.3 * (sizes / 24) * entropies / 24;
  check_step(made.sampler, rewarded, objective);
}

TEST_CASE("rollouts after a learning step follow the new policy") {
  auto options = small_options();
  options.learning_rate = 0.5;  // one violent step
  options.baseline = Baseline::none;
  Made made(options, 6);
  Made idle(options, 6);
  auto scene = TestScene::random(2, 40, 10, 1);
  const auto rollout = made.sampler.sample(scene, 20);
  idle.sampler.sample(scene, 20);
  RewardedRollout rewarded;
  rewarded.rollout = &rollout;
  rewarded.rewards.assign(20, 1.0);
  made.sampler.train_step({rewarded});
  CHECK_FALSE((made.sampler.sample(scene, 40).patches == idle.sampler.sample(scene, 40).patches));
}

TEST_CASE("REINFORCE solves a toy: stay in the left half") {
  for (const auto baseline : {Baseline::running, Baseline::none}) {
    CAPTURE(baseline);
    auto options = small_options();
    options.step = 8;
    options.gamma = 0.8;
    options.learning_rate = 3e-3;
    options.baseline = baseline;
    Made made(options, 1);
    auto scene = halves();
    const double before = share_left(made.sampler, scene);
    for (int episode = 0; episode < 150; ++episode) {
      const auto rollout = made.sampler.sample(scene, 32);
      RewardedRollout rewarded;
      rewarded.rollout = &rollout;
      rewarded.rewards = left_rewards(rollout);
      made.sampler.train_step({rewarded});
    }
    const double after = share_left(made.sampler, scene);
    MESSAGE("share of patches in the left half before ", before, ", after ", after);
    CHECK(before < 0.65);
    CHECK(after > 0.85);
  }
}

TEST_CASE("after save and load, learning goes on the same bit for bit") {
  auto scene = TestScene::random(2, 40, 10, 1);
  Made original(small_options(), 1);
  const auto teach = [&](RlSampler& sampler, const Rollout& rollout) {
    RewardedRollout rewarded;
    rewarded.rollout = &rollout;
    for (std::size_t t = 0; t < rollout.patches.size(); ++t)
      rewarded.rewards.push_back(static_cast<double>(t % 3));
    sampler.train_step({rewarded});
  };
  for (int i = 0; i < 2; ++i)
    teach(original.sampler, original.sampler.sample(scene, 10));
  Made copy(small_options(), 2);
  const auto state = saved(original.sampler);
  copy.sampler.load(state);
  state.require_all_read();
  const auto rollout = original.sampler.sample(scene, 10);
  teach(original.sampler, rollout);
  teach(copy.sampler, rollout);
  const auto expected = original.sampler.policy()->parameters();
  const auto found = copy.sampler.policy()->parameters();
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(torch::equal(found[i], expected[i]));
}
