// SPDX-License-Identifier: Apache-2.0
#include "sampler.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "observer.h"
#include "test_sampler.h"
#include "test_scene.h"
#include "torch_test.h"

using nbs::Patch;
using nbs::Rollout;
using nbs::rl::Credit;
using nbs::rl::Made;
using nbs::rl::memory_of;
using nbs::rl::moved;
using nbs::rl::saved;
using nbs::rl::small_options;
using nbs::rl::TestScene;
using nbs::rl::View;

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
        observer.observe(rollout.patches[t - 1], state.data_ptr<float>(), state.stride(0));
        CHECK(torch::equal(made.sampler.states(memory)[t], state));
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
  std::vector<std::vector<torch::Tensor>> made_states;
  for (const int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    Made made(small_options(), 4);
    auto first = TestScene::random(3, 40, 10, 1);
    auto second = TestScene::random(3, 40, 10, 1);
    made_rollouts.push_back(made.sampler.sample_all({{&first, 50}, {&second, 70}}));
    auto& states = made_states.emplace_back();
    for (const auto& rollout : made_rollouts.back())
      states.push_back(made.sampler.states(memory_of(rollout)).clone());
  }
  at::set_num_threads(before);
  const auto& expected = made_rollouts.front();
  REQUIRE(expected.size() == 2);
  CHECK(expected[0].patches.size() == 50);
  CHECK(expected[1].patches.size() == 70);
  CHECK_FALSE(std::equal(expected[0].patches.begin(), expected[0].patches.end(), expected[1].patches.begin()));
  for (std::size_t made = 0; made < made_rollouts.size(); ++made) {
    const auto& rollouts = made_rollouts[made];
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK((rollouts[i].patches == expected[i].patches));
      CHECK(torch::equal(made_states[made][i], made_states.front()[i]));
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

TEST_CASE("a rollout keeps what it saw while others are made, and its memory is used again behind it") {
  Made made(small_options(), 4);
  auto scene = TestScene::random(3, 40, 10, 1);
  auto first = made.sampler.sample(scene, 20);
  const auto seen = made.sampler.states(memory_of(first)).clone();
  const auto second = made.sampler.sample(scene, 20);
  CHECK(torch::equal(made.sampler.states(memory_of(first)), seen));
  CHECK_FALSE(torch::equal(made.sampler.states(memory_of(second)), seen));
  const auto* const place = memory_of(first).trace.get();
  first = Rollout();
  CHECK(memory_of(made.sampler.sample(scene, 20)).trace.get() == place);
  CHECK(memory_of(made.sampler.sample(scene, 21)).trace->states == 21);
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
  CHECK(memory_of(once[1]).actions.size(0) == 20);
  const auto again = rollouts(3);
  CHECK((once[0].patches == again[0].patches));
  CHECK((once[1].patches == again[1].patches));
  CHECK_FALSE((once[1].patches == rollouts(4)[1].patches));
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
