// SPDX-License-Identifier: Apache-2.0
#include "sampler.h"

#include <array>
#include <cmath>

#include <torch/autograd.h>

#include "observer.h"
#include "reinforce.h"
#include "test_scene.h"
#include "torch_test.h"

using nbs::Patch;
using nbs::RewardedRollout;
using nbs::Rollout;
using nbs::rl::Baseline;
using nbs::rl::Credit;
using nbs::rl::Memory;
using nbs::rl::moved;
using nbs::rl::Options;
using nbs::rl::RlSampler;
using nbs::rl::TestScene;
using nbs::rl::View;

namespace {

Options small_options() {
  auto options = nbs::schema_of<Options>().make();
  options.window = 16;
  options.step = 4;
  options.channels = {8, 8};
  options.hidden = 32;
  options.entropy_bonus = 0;
  options.gamma = 0.9;
  options.clip = 0;
  return options;
}

// A sampler with a context of its own.
struct Made {
  Made(const Options& options, std::uint64_t seed)
      : context(facts(seed), [](const std::string&) {}), sampler(options, context) {}
  static nbs::Context::Facts facts(std::uint64_t seed) {
    nbs::Context::Facts facts;
    facts.seed = seed;
    return facts;
  }
  nbs::Context context;
  RlSampler sampler;
};

const Memory& memory_of(const Rollout& rollout) {
  return dynamic_cast<const Memory&>(*rollout.memory);
}

nbs::State saved(const RlSampler& sampler) {
  nbs::State state;
  sampler.save(state);
  return state;
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
  for (const auto& [name, value] : told) {
    if (name == "gradient") CHECK(value == doctest::Approx(std::sqrt(squares)).epsilon(1e-3));
  }
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

TEST_CASE("actions move the patch in reading order of the directions and stop at the border") {
  const Patch at{2, 20, 30};
  const std::array<std::array<std::int64_t, 2>, 8> expected = {
      {{15, 25}, {15, 30}, {15, 35}, {20, 25}, {20, 35}, {25, 25}, {25, 30}, {25, 35}}};
  for (std::int64_t action = 0; action < 8; ++action)
    CHECK(moved(at, action, 5, 100) == Patch{2, expected[action][0], expected[action][1]});
  CHECK(moved({0, 3, 98}, 2, 5, 100) == Patch{0, 0, 100});
}

TEST_CASE("a rollout follows its actions, remembers what was seen, and stays in the images") {
  for (const auto view : {View::window, View::image}) {
    auto options = small_options();
    options.view = view;
    Made made(options, 4);
    auto scene = TestScene::random(3, 40, 10, 1);
    const auto rollout = made.sampler.sample(scene, 60);
    REQUIRE(rollout.patches.size() == 60);
    const auto& memory = memory_of(rollout);
    nbs::rl::Observer observer(options, scene);
    int jumps = 0;
    for (std::int64_t t = 0; t < 60; ++t) {
      const auto& patch = rollout.patches[t];
      CHECK(patch.image >= 0);
      CHECK(patch.image < 3);
      CHECK(std::min(patch.y, patch.x) >= 0);
      CHECK(std::max(patch.y, patch.x) <= 30);
      const auto action = memory.actions[t].item<std::int64_t>();
      jumps += action == nbs::rl::kJump ? 1 : 0;
      if (t > 0) {
        if (action != nbs::rl::kJump) CHECK(patch == moved(rollout.patches[t - 1], action, options.step, 30));
        auto state = torch::empty({16, 16, 5});
        observer.observe(rollout.patches[t - 1], state.data_ptr<float>());
        CHECK(torch::equal(memory.states[t], state));
      }
      observer.mark(patch);
    }
    CHECK(jumps > 0);
    CHECK(jumps < 60);
  }
}

TEST_CASE("rollouts at the same time have the same bits as one after the other, and are of different chance") {
  const int before = at::get_num_threads();
  std::vector<std::vector<Rollout>> made_rollouts;
  for (const int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    Made made(small_options(), 4);
    auto first = TestScene::random(3, 40, 10, 1);
    auto second = TestScene::random(3, 40, 10, 1);
    made_rollouts.push_back(made.sampler.sample_all({{&first, 50}, {&second, 70}}));
  }
  at::set_num_threads(before);
  const auto& expected = made_rollouts.front();
  REQUIRE(expected.size() == 2);
  CHECK(expected[0].patches.size() == 50);
  CHECK(expected[1].patches.size() == 70);
  CHECK_FALSE(std::equal(expected[0].patches.begin(), expected[0].patches.end(), expected[1].patches.begin()));
  for (const auto& rollouts : made_rollouts) {
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK((rollouts[i].patches == expected[i].patches));
      CHECK(torch::equal(memory_of(rollouts[i]).states, memory_of(expected[i]).states));
      CHECK(torch::equal(memory_of(rollouts[i]).actions, memory_of(expected[i]).actions));
    }
  }
  // A single rollout is the one that would be the first of several.
  Made made(small_options(), 4);
  auto scene = TestScene::random(3, 40, 10, 1);
  CHECK((made.sampler.sample(scene, 50).patches == expected[0].patches));
}

TEST_CASE("what a scene throws in one of several rollouts arrives as it was thrown") {
  class Broken : public TestScene {
   public:
    using TestScene::TestScene;
    explicit Broken(TestScene scene) : TestScene(std::move(scene)) {}
    torch::Tensor loss(std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t) override {
      throw nbs::Error("no losses here");
    }
  };
  Made made(small_options(), 4);
  auto good = TestScene::random(3, 40, 10, 1);
  Broken bad(TestScene::random(3, 40, 10, 1));
  CHECK_THROWS_WITH_AS(made.sampler.sample_all({{&good, 20}, {&bad, 20}}), "no losses here", nbs::Error);
}

TEST_CASE("actions are drawn with the policy's probabilities") {
  Made made(small_options(), 4);
  const std::array<double, 9> wanted = {0.3, 0.05, 0.05, 0.1, 0.1, 0.02, 0.08, 0.2, 0.1};
  {
    torch::NoGradGuard no_grad;
    for (auto& item : made.sampler.policy()->named_parameters()) {
      if (item.key() == "head.weight") item.value().zero_();
      if (item.key() == "head.bias") {
        for (std::int64_t a = 0; a < 9; ++a)
          item.value()[a] = std::log(wanted[a]);
      }
    }
  }
  // load() is how new parameters reach rollouts.
  made.sampler.load(saved(made.sampler));
  auto scene = TestScene::random(1, 40, 10, 1);
  const auto rollout = made.sampler.sample(scene, 4000);
  std::array<double, 9> counts{};
  for (std::int64_t t = 0; t < 4000; ++t)
    counts[memory_of(rollout).actions[t].item<std::int64_t>()] += 1;
  for (std::int64_t a = 0; a < 9; ++a) {
    CAPTURE(a);
    const double deviation = std::sqrt(4000 * wanted[a] * (1 - wanted[a]));
    CHECK(std::abs(counts[a] - 4000 * wanted[a]) < 4.5 * deviation);
  }
}

TEST_CASE(
    "the same seed gives the same rollouts, another seed others; rollouts made together have their own requests") {
  auto scene = TestScene::random(2, 40, 10, 1);
  auto other_scene = TestScene::random(5, 40, 10, 2);
  const auto rollouts = [&](std::uint64_t seed) {
    Made made(small_options(), seed);
    return made.sampler.sample_all({{&scene, 12}, {&other_scene, 20}});
  };
  const auto once = rollouts(3);
  REQUIRE(once.size() == 2);
  CHECK(once[0].patches.size() == 12);
  CHECK(once[1].patches.size() == 20);
  CHECK(memory_of(once[1]).states.size(0) == 20);
  const auto again = rollouts(3);
  CHECK((once[0].patches == again[0].patches));
  CHECK((once[1].patches == again[1].patches));
  CHECK_FALSE((once[1].patches == rollouts(4)[1].patches));
}

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
  auto objective = torch::zeros({});
  for (const auto& one : rewarded) {
    const auto& memory = memory_of(*one.rollout);
    const auto logits = policy->forward(memory.states.permute({0, 3, 1, 2}));
    const auto count = static_cast<std::int64_t>(one.rewards.size());
    for (std::int64_t t = 0; t < count; ++t) {
      double later = 0;
      for (std::int64_t k = t; k < count; ++k)
        later += std::pow(0.8, static_cast<double>(k - t)) * one.rewards[k];
      const auto chosen = logits[t][memory.actions[t].item<std::int64_t>()] - torch::logsumexp(logits[t], 0);
      objective = objective - later * chosen / static_cast<double>(count);
    }
  }
  check_step(made.sampler, rewarded, objective);
}

TEST_CASE("with credit for all actions, a rollout names the patch of each: eight moves and a jump") {
  Made plain(small_options(), 4);
  auto scene = TestScene::random(3, 40, 10, 1);
  CHECK(plain.sampler.sample(scene, 20).alternatives.empty());
  auto options = small_options();
  options.credit = Credit::all;
  Made made(options, 4);
  const auto rollout = made.sampler.sample(scene, 60);
  REQUIRE(rollout.alternatives.size() == 60);
  std::vector<Patch> jumps;
  for (std::int64_t t = 0; t < 60; ++t) {
    const auto& each = rollout.alternatives[t];
    REQUIRE(each.size() == 9);
    const auto taken = memory_of(rollout).actions[t].item<std::int64_t>();
    CHECK(each[taken] == rollout.patches[t]);
    for (std::int64_t a = 0; t > 0 && a < 8; ++a)
      CHECK(each[a] == moved(rollout.patches[t - 1], a, options.step, 30));
    CHECK(std::find(jumps.begin(), jumps.end(), each[8]) == jumps.end());  // a jump of its own, at each step
    jumps.push_back(each[8]);
  }
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
    const auto logits = policy->forward(memory.states.permute({0, 3, 1, 2}));
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
