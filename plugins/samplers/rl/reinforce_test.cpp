// SPDX-License-Identifier: Apache-2.0
#include "reinforce.h"

#include <array>
#include <cmath>

#include <torch/autograd.h>

#include "nbs/initialize.h"
#include "nbs/torch_compat.h"

#include "policy.h"
#include "torch_test.h"

using nbs::rl::discounted_returns;
using nbs::rl::reinforce_loss;

namespace {

const auto kReal = torch::TensorOptions().dtype(torch::kFloat64);

}  // namespace

TEST_CASE("returns are discounted sums of what follows") {
  const auto returns = discounted_returns({1, 0, 2}, 0.5);
  CHECK(returns == std::vector<double>{1.5, 1, 2});
  CHECK(discounted_returns({0, 0, -3}, 1) == std::vector<double>{-3, -3, -3});
  CHECK(discounted_returns({4, 5}, 0) == std::vector<double>{4, 5});
  CHECK(discounted_returns({}, 0.9).empty());
}

TEST_CASE("Eq. 4 on two steps, by hand") {
  const auto logits = torch::zeros({2, 9}, kReal);
  logits[1][3] = std::log(2.0);  // probability 2/10, the others 1/10
  const auto loss = reinforce_loss(logits, torch::tensor({0, 3}, torch::kInt64), torch::tensor({3.0, -1.0}, kReal));
  CHECK(loss.item<double>() == doctest::Approx(-(3 * std::log(1.0 / 9) - std::log(0.2)) / 2).epsilon(1e-12));
}

TEST_CASE("the policy gradient, summed over all episodes, is the gradient of the expected reward") {
  // Two states, two steps: actions below 4 lead to state 0, the others to state 1. theta are the logits [state,
  // action].
  auto generator = nbs::make_generator(2);
  const auto theta = torch::randn({2, 9}, generator, kReal);
  const auto rewards = torch::randn({2, 9}, generator, kReal);
  const auto next = [](std::int64_t action) { return action < 4 ? 0 : 1; };
  const auto expected_reward = [&](const torch::Tensor& logits) {
    const auto p = torch::softmax(logits, 1);
    double sum = 0;
    for (std::int64_t a = 0; a < 9; ++a) {
      for (std::int64_t b = 0; b < 9; ++b) {
        const double both = p[0][a].item<double>() * p[next(a)][b].item<double>();
        sum += both * (rewards[0][a].item<double>() + rewards[next(a)][b].item<double>());
      }
    }
    return sum;
  };
  auto gradient = torch::zeros({2, 9}, kReal);
  // The same with the first part of each return in the form for all actions, and only what follows in Eq. 4's.
  auto all_actions = torch::zeros({2, 9}, kReal);
  const auto p = torch::softmax(theta, 1);
  for (std::int64_t a = 0; a < 9; ++a) {
    for (std::int64_t b = 0; b < 9; ++b) {
      const auto live = theta.clone().requires_grad_(true);
      const auto returns = discounted_returns({rewards[0][a].item<double>(), rewards[next(a)][b].item<double>()}, 1);
      const auto loss = reinforce_loss(torch::stack({live[0], live[next(a)]}), torch::tensor({a, b}, torch::kInt64),
                                       torch::tensor(returns, kReal));
      const double probability = p[0][a].item<double>() * p[next(a)][b].item<double>();
      gradient -= 2 * probability * torch::autograd::grad({loss}, {live})[0];
      const auto states = torch::stack({live[0], live[next(a)]});
      const auto later = torch::tensor({rewards[next(a)][b].item<double>(), 0.0}, kReal);
      const auto exact = nbs::rl::all_action_loss(states, torch::stack({rewards[0], rewards[next(a)]})) +
                         reinforce_loss(states, torch::tensor({a, b}, torch::kInt64), later);
      all_actions -= 2 * probability * torch::autograd::grad({exact}, {live})[0];
    }
  }
  const double step = 1e-6;
  for (std::int64_t state = 0; state < 2; ++state) {
    for (std::int64_t action = 0; action < 9; ++action) {
      auto up = theta.clone();
      auto down = theta.clone();
      up[state][action] += step;
      down[state][action] -= step;
      const double slope = (expected_reward(up) - expected_reward(down)) / (2 * step);
      CHECK(gradient[state][action].item<double>() == doctest::Approx(slope).epsilon(1e-6));
      CHECK(all_actions[state][action].item<double>() == doctest::Approx(slope).epsilon(1e-6));
    }
  }
}

TEST_CASE("the loss of all actions on two steps, by hand: a common reward changes nothing but the value") {
  auto logits = torch::zeros({2, 9}, kReal);
  logits[1][3] = std::log(2.0);  // probability 2/10, the others 1/10
  auto rewards = torch::zeros({2, 9}, kReal);
  rewards[0][0] = 9;  // the mean over the actions is 1, so 8 for this one and -1 for each of the others
  rewards[1][3] = 9;
  const auto loss = nbs::rl::all_action_loss(logits, rewards);
  // Step 0: 8/9 - 8 * 1/9 = 0. Step 1: 8 * 2/10 - 8 * 1/10 = 0.8.
  CHECK(loss.item<double>() == doctest::Approx(-0.4).epsilon(1e-12));
  logits.requires_grad_(true);
  const auto gradient = torch::autograd::grad({nbs::rl::all_action_loss(logits, rewards)}, {logits})[0];
  const auto shifted = torch::autograd::grad({nbs::rl::all_action_loss(logits, rewards + 5)}, {logits})[0];
  CHECK(torch::allclose(gradient, shifted, 0, 1e-12));
  CHECK(gradient[0][0].item<double>() < -0.1);
}

TEST_CASE("the gradient with respect to the policy's parameters agrees with finite differences") {
  nbs::rl::Policy policy(8, std::vector<std::int64_t>{3, 4}, 6);
  policy->to(torch::kFloat64);
  auto generator = nbs::make_generator(5);
  nbs::initialize(*policy, generator);
  const auto states = torch::rand({4, 5, 8, 8}, generator, kReal) - 0.3;
  const auto actions = torch::tensor({0, 8, 3, 5}, torch::kInt64);
  const auto returns = torch::tensor({1.0, -2.0, 0.5, 3.0}, kReal);
  const auto objective = [&] { return reinforce_loss(policy->forward(states), actions, returns); };
  const auto parameters = policy->parameters();
  const auto gradients = torch::autograd::grad({objective()}, parameters);
  torch::NoGradGuard no_grad;
  const double step = 1e-6;
  double largest = 0;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto values = parameters[i].view({-1});
    const auto slopes = gradients[i].reshape({-1});
    for (std::int64_t k = 0; k < values.numel(); k += 7) {
      const double before = values[k].item<double>();
      values[k] = before + step;
      const double up = objective().item<double>();
      values[k] = before - step;
      const double down = objective().item<double>();
      values[k] = before;
      const double slope = (up - down) / (2 * step);
      CHECK(std::abs(slopes[k].item<double>() - slope) < 1e-7);
      largest = std::max(largest, std::abs(slope));
    }
  }
  CHECK(largest > 1e-2);
}

TEST_CASE("the entropy of nine equal actions is ln 9, of a certain one 0") {
  CHECK(nbs::rl::mean_entropy(torch::zeros({3, 9}, kReal)).item<double>() == doctest::Approx(std::log(9.0)));
  auto certain = torch::zeros({1, 9}, kReal);
  certain[0][4] = 200;
  CHECK(nbs::rl::mean_entropy(certain).item<double>() == doctest::Approx(0));
}

TEST_CASE("the running baseline subtracts the average of earlier rollouts, step by step") {
  nbs::rl::RunningBaseline baseline(0.5);
  std::vector<double> returns = {1, 3};
  baseline.subtract(returns);
  CHECK(returns == std::vector<double>{-1, 1});  // the first: its own mean
  returns = {5, 3};
  baseline.subtract(returns);
  CHECK(returns == std::vector<double>{4, 0});  // average was (1, 3), is now (3, 3)
  nbs::rl::RunningBaseline copy(0.5);
  copy.set_state(baseline.state());
  returns = {4, 4};
  copy.subtract(returns);
  CHECK(returns == std::vector<double>{1, 1});
}
