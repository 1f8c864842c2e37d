// SPDX-License-Identifier: Apache-2.0
#include "policy.h"

#include "nbs/initialize.h"
#include "nbs/torch_compat.h"

#include "fast_policy.h"
#include "observer.h"
#include "test_scene.h"
#include "test_trace.h"
#include "torch_test.h"

using nbs::Patch;
using nbs::rl::FastPolicy;
using nbs::rl::LossScale;
using nbs::rl::Observer;
using nbs::rl::Options;
using nbs::rl::Policy;
using nbs::rl::TestScene;
using nbs::rl::View;

TEST_CASE("the fast forward pass gives the network's logits, for all shapes and after updates") {
  torch::NoGradGuard no_grad;
  using Channels = std::vector<std::int64_t>;
  auto generator = nbs::make_generator(1);
  for (const auto& tested :
       {std::tuple{64, Channels{16, 32, 32, 64, 64}, 128}, std::tuple{8, Channels{3}, 5},
        std::tuple{9, Channels{17, 5}, 33}, std::tuple{15, Channels{4, 4, 4, 4, 4}, 16},
        std::tuple{12, Channels{16}, 1}, std::tuple{33, Channels{8, 20, 9}, 40}, std::tuple{8, Channels{}, 7}}) {
    const auto& [window, channels, hidden] = tested;
    CAPTURE(std::get<0>(tested));
    CAPTURE(std::get<1>(tested).size());
    Policy policy(window, channels, hidden);
    nbs::initialize(*policy, generator, 2.4);
    FastPolicy fast(*policy);
    auto trace = fast.make_trace(4);
    for (int repeat = 0; repeat < 3; ++repeat) {
      const auto states = torch::randn({4, window, window, 5}, generator);
      const auto expected = policy->forward(states.permute({0, 3, 1, 2}));
      CHECK(expected.abs().max().item<double>() > 1e-2);
      for (std::int64_t i = 0; i < 4; ++i) {
        write_state(states[i], fast, trace, i);
        const auto* const found = fast.run(trace, i);
        for (std::int64_t a = 0; a < 9; ++a)
          CHECK(found[a] == doctest::Approx(expected[i][a].item<float>()).epsilon(1e-3));
      }
      nbs::initialize(*policy, generator, 2.4);
      fast.update(*policy);
    }
  }
}

TEST_CASE("a window shows color, loss by its mean and history around the center, zeros beyond the image") {
  auto scene = TestScene::random(2, 20, 6, 3);
  Options options = nbs::schema_of<Options>().make();
  options.window = 10;
  for (const auto scale : {LossScale::mean, LossScale::none}) {
    options.loss_scale = scale;
    Observer observer(options, scene);
    auto history = torch::zeros({2, 20, 20});
    for (const auto& patch : {Patch{0, 0, 0}, Patch{0, 14, 14}, Patch{0, 5, 7}, Patch{1, 5, 0}, Patch{1, 3, 2}}) {
      auto state = torch::full({10, 10, 5}, 99.0);
      observer.observe(patch, state.data_ptr<float>(), state.stride(0));
      // Center of the patch at (y + 3, x + 3); the window begins 5 before.
      auto expected = torch::zeros({10, 10, 5});
      double sum = 0;
      double count = 0;
      const auto losses = scene.loss(patch.image, 0, 0, 20, 20);
      for (std::int64_t y = 0; y < 10; ++y) {
        for (std::int64_t x = 0; x < 10; ++x) {
          const std::int64_t iy = patch.y + 3 - 5 + y;
          const std::int64_t ix = patch.x + 3 - 5 + x;
          if (iy < 0 || ix < 0 || iy >= 20 || ix >= 20) continue;
          for (std::int64_t c = 0; c < 3; ++c)
            expected[y][x][c] = scene.image(patch.image)[c][iy][ix] - 0.5;
          expected[y][x][3] = losses[iy][ix];
          expected[y][x][4] = history[patch.image][iy][ix];
          sum += losses[iy][ix].item<double>();
          count += 1;
        }
      }
      if (options.loss_scale == LossScale::mean) expected.select(2, 3).mul_(count / sum);
      CHECK(torch::allclose(state, expected, 1e-5, 1e-6));
      observer.mark(patch);
      history[patch.image].slice(0, patch.y, patch.y + 6).slice(1, patch.x, patch.x + 6).fill_(1);
    }
  }
}

TEST_CASE("the whole image is shown reduced by averaging") {
  auto scene = TestScene::random(1, 20, 6, 3);
  Options options = nbs::schema_of<Options>().make();
  options.window = 10;
  options.view = View::image;
  options.loss_scale = LossScale::none;
  Observer observer(options, scene);
  observer.mark({0, 3, 4});
  auto state = torch::empty({10, 10, 5});
  observer.observe({0, 1, 1}, state.data_ptr<float>(), state.stride(0));
  const auto blocks = [](const torch::Tensor& plane) { return plane.view({10, 2, 10, 2}).mean({1, 3}); };
  for (std::int64_t c = 0; c < 3; ++c)
    CHECK(torch::allclose(state.select(2, c), blocks(scene.image(0)[c]) - 0.5, 1e-4, 1e-5));
  CHECK(torch::allclose(state.select(2, 3), blocks(scene.loss(0, 0, 0, 20, 20)), 1e-4, 1e-5));
  auto history = torch::zeros({20, 20});
  history.slice(0, 3, 9).slice(1, 4, 10).fill_(1);
  CHECK(torch::allclose(state.select(2, 4), blocks(history)));
}

TEST_CASE("channels that are turned off are zeros") {
  auto scene = TestScene::random(1, 20, 6, 3);
  for (int off = 0; off < 3; ++off) {
    for (const auto view : {View::window, View::image}) {
      Options options = nbs::schema_of<Options>().make();
      options.window = 8;
      options.view = view;
      options.use_color = off != 0;
      options.use_loss = off != 1;
      options.use_history = off != 2;
      Observer observer(options, scene);
      observer.mark({0, 5, 5});
      auto state = torch::empty({8, 8, 5});
      observer.observe({0, 6, 6}, state.data_ptr<float>(), state.stride(0));
      const auto shown = state.abs().amax({0, 1});
      for (std::int64_t c = 0; c < 5; ++c) {
        const int group = c < 3 ? 0 : (c == 3 ? 1 : 2);
        CHECK((shown[c].item<float>() > 0) == (group != off));
      }
    }
  }
}
