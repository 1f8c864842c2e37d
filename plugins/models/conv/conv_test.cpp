// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <torch/autograd.h>

#include "autoencoder.h"
#include "component_test.h"

namespace {

using nbs::conv::Network;
using nbs::conv::Options;
using nbs::test::restore;
using nbs::test::saved;
using Made = nbs::test::Owned<nbs::conv::ConvAutoencoder>;

Options small_options() {
  auto options = nbs::schema_of<Options>().make();
  options.channels = {4, 8};
  options.bottleneck = 5;
  return options;
}

torch::Tensor random_patches(std::int64_t count, std::uint64_t seed) {
  auto generator = nbs::make_generator(seed);
  return torch::rand({count, 3, 16, 16}, generator);
}

// The network written down with LibTorch's own layers, from the parameters by name.
torch::Tensor reference(const Network& network, torch::Tensor x, std::int64_t levels,
                        const std::vector<std::int64_t>& shortcuts) {
  const auto parameters = network->named_parameters();
  std::vector<torch::Tensor> outputs;
  for (std::int64_t i = 1; i <= levels; ++i) {
    const auto name = "encoder" + std::to_string(i);
    x = torch::leaky_relu(torch::conv2d(x, parameters[name + ".weight"], parameters[name + ".bias"], 2, 1), 0.2);
    outputs.push_back(x);
  }
  const auto flat = x.permute({0, 2, 3, 1}).reshape({x.size(0), -1});
  const auto code = torch::linear(flat, parameters["squeeze.weight"], parameters["squeeze.bias"]);
  x = torch::linear(code, parameters["spread.weight"], parameters["spread.bias"])
          .reshape({x.size(0), x.size(2), x.size(3), x.size(1)})
          .permute({0, 3, 1, 2});
  for (std::int64_t i = levels; i >= 1; --i) {
    x = torch::leaky_relu(x, 0.2);
    for (const auto level : shortcuts) {
      if (level == i) x = x + outputs[i - 1];
    }
    const auto name = "decoder" + std::to_string(i);
    x = torch::conv_transpose2d(x, parameters[name + ".weight"], parameters[name + ".bias"], 2, 1);
  }
  return x;
}

bool same_parameters(nbs::Autoencoder& a, nbs::Autoencoder& b) {
  const auto left = a.state();
  const auto right = b.state();
  for (std::size_t i = 0; i < left.size(); ++i) {
    if (!torch::equal(left[i], right[i])) return false;
  }
  return left.size() == right.size();
}

}  // namespace

TEST_CASE("it learns in bfloat16 what it learns in float32, nearly") {
  auto options = small_options();
  options.learning_rate = 1e-2;
  const auto patches = random_patches(8, 3) * 0.1 + torch::linspace(0, 0.9, 16);
  nbs::test::check_learns_in_bf16<nbs::conv::ConvAutoencoder>(options, nbs::testing::small_facts(7),
                                                              [&](auto& made) { return made.train_step(patches); });
}

TEST_CASE("upsample is the transposed convolution of kernel 4, stride 2, padding 1, gradients included") {
  auto generator = nbs::make_generator(1);
  for (const auto& [height, width, in, out] :
       {std::tuple{1, 1, 2, 3}, std::tuple{4, 4, 5, 3}, std::tuple{3, 5, 7, 1}}) {
    const auto real = torch::TensorOptions().dtype(torch::kFloat64);
    const auto map = torch::randn({2, in, height, width}, generator, real).requires_grad_(true);
    CAPTURE(map.sizes());
    const auto weight = torch::randn({in, out, 4, 4}, generator, real).requires_grad_(true);
    const auto bias = torch::randn({out}, generator, real).requires_grad_(true);
    const auto found = nbs::conv::upsample(map, weight, bias);
    const auto expected = at::conv_transpose2d(map, weight, bias, 2, 1);
    REQUIRE(found.sizes() == expected.sizes());
    CHECK(torch::allclose(found, expected, 1e-10, 1e-12));
    const auto direction = torch::randn(expected.sizes(), generator, real);
    const auto found_gradients = torch::autograd::grad({(found * direction).sum()}, {map, weight, bias});
    const auto expected_gradients = torch::autograd::grad({(expected * direction).sum()}, {map, weight, bias});
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(torch::allclose(found_gradients[i], expected_gradients[i], 1e-9, 1e-11));
  }
}

TEST_CASE("interleaving is the same in slices") {
  auto generator = nbs::make_generator(1);
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    const auto kinds = torch::randn({3, 20, 5, 4}, generator, torch::TensorOptions().dtype(type)).requires_grad_(true);
    const auto found = nbs::conv::interleave(kinds);
    const auto expected = nbs::conv::interleave_slices(kinds);
    CHECK(torch::equal(found, expected));
    const auto direction = torch::randn(found.sizes(), generator, torch::TensorOptions().dtype(type));
    CHECK(torch::equal(torch::autograd::grad({found}, {kinds}, {direction})[0],
                       torch::autograd::grad({expected}, {kinds}, {direction})[0]));
  }
}

TEST_CASE("the network and its parameter gradients agree with LibTorch's own layers") {
  for (const auto& shortcuts : std::vector<std::vector<std::int64_t>>{{}, {1}, {1, 2}}) {
    CAPTURE(shortcuts.size());
    auto options = small_options();
    options.shortcuts = shortcuts;
    Made made(options, 3);
    auto& network = made->network();
    const auto input = random_patches(3, 2) - 0.5;
    const auto found = network->forward(input);
    const auto expected = reference(network, input, 2, shortcuts);
    CHECK(torch::allclose(found, expected, 1e-4, 1e-5));
    const auto parameters = network->parameters();
    const auto found_gradients = torch::autograd::grad({torch::mse_loss(found, input)}, parameters);
    const auto expected_gradients = torch::autograd::grad({torch::mse_loss(expected, input)}, parameters);
    for (std::size_t i = 0; i < parameters.size(); ++i)
      CHECK(torch::allclose(found_gradients[i], expected_gradients[i], 1e-3, 1e-6));
  }
}

TEST_CASE("the gradient that is computed patch by patch is that of LibTorch's own layers, with any number of threads") {
  const int before = at::get_num_threads();
  for (const auto& [channels, bottleneck, count] :
       {std::tuple{std::vector<std::int64_t>{4, 8}, 5, 1}, std::tuple{std::vector<std::int64_t>{16, 20, 33}, 32, 7},
        std::tuple{std::vector<std::int64_t>{7}, 3, 4}, std::tuple{std::vector<std::int64_t>{16, 32, 64, 8}, 16, 9}}) {
    auto options = small_options();
    options.channels = channels;
    options.bottleneck = bottleneck;
    Made made(options, 3);
    auto& network = made->network();
    nbs::conv::FastNetwork forward(*network);
    nbs::conv::FastGradient gradient(*network, forward);
    REQUIRE(gradient.fits());
    const auto patches = random_patches(count, 2);
    const auto input = patches - 0.5;
    const auto levels = static_cast<std::int64_t>(channels.size());
    const auto loss = torch::mse_loss(reference(network, input, levels, {}), input);
    const auto parameters = network->named_parameters();
    const auto expected = torch::autograd::grad({loss}, parameters.values());
    for (const int threads : {1, 2, 5}) {
      at::set_num_threads(threads);
      CHECK(gradient.run(patches) == doctest::Approx(loss.item<double>()).epsilon(1e-5));
      for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(levels);
        CAPTURE(parameters[i].key());
        const auto& found = parameters[i].value().grad();
        const double error = (found - expected[i]).abs().max().item<double>();
        CHECK(error < 1e-5 * expected[i].abs().max().item<double>() + 1e-9);
      }
    }
  }
  at::set_num_threads(before);
}

TEST_CASE("patches of another size, or none, are refused when it learns") {
  Made made(small_options(), 1);
  for (const auto& patches : {torch::zeros({2, 3, 8, 8}), torch::zeros({2, 1, 16, 16}), torch::zeros({0, 3, 16, 16})})
    CHECK_THROWS_WITH_AS(made->train_step(patches), doctest::Contains("patches [B, 3, 16, 16] are wanted, but got"),
                         nbs::Error);
}

TEST_CASE("a step is Adam's along LibTorch's gradients") {
  auto options = small_options();
  options.learning_rate = 1e-2;
  options.weight_decay = 1e-2;
  Made made(options, 3);
  auto& network = made->network();
  std::vector<torch::Tensor> parameters;
  for (const auto& parameter : network->parameters())
    parameters.push_back(parameter.detach().clone());
  const auto patches = random_patches(6, 2);
  const auto input = patches - 0.5;
  auto loss = torch::mse_loss(reference(network, input, 2, {}), input);
  const auto gradients = torch::autograd::grad({loss}, network->parameters());
  CHECK(made->train_step(patches) == doctest::Approx(loss.item<double>()).epsilon(1e-5));
  // Adam's first step is the size of its step along the sign of the gradient, but for what epsilon takes away.
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto slope = gradients[i] + 1e-2 * parameters[i];
    const auto expected = parameters[i] - 1e-2 * slope / (slope.abs() + 1e-8);
    CHECK(torch::allclose(network->parameters()[i], expected, 1e-3, 2e-5));
  }
}

TEST_CASE("without shortcuts everything passes through B numbers; a shortcut is a way round them") {
  // The Jacobian of the reconstruction has at most rank B; with shortcuts, more.
  const auto rank = [](const std::vector<std::int64_t>& shortcuts) {
    auto options = small_options();
    options.bottleneck = 3;
    options.shortcuts = shortcuts;
    Made made(options, 5);
    made->network()->to(torch::kFloat64);
    const auto input = (random_patches(1, 4).to(torch::kFloat64) - 0.5).requires_grad_(true);
    const auto output = made->network()->forward(input).flatten();
    std::vector<torch::Tensor> rows;
    for (std::int64_t i = 0; i < output.numel(); i += 13)
      rows.push_back(torch::autograd::grad({output[i]}, {input}, {}, true)[0].flatten());
    return torch::linalg_matrix_rank(torch::stack(rows), 1e-9).item<std::int64_t>();
  };
  CHECK(rank({}) == 3);
  CHECK(rank({2}) > 10);
}

TEST_CASE("shapes: three channels, the patch's size, and a loss for every pixel") {
  Made made(small_options(), 1);
  const auto patches = random_patches(4, 1);
  const auto loss = made->pixel_loss(patches);
  CHECK(loss.sizes().vec() == std::vector<std::int64_t>{4, 16, 16});
  CHECK_FALSE(loss.requires_grad());
  torch::NoGradGuard no_grad;
  const auto error = reference(made->network(), patches - 0.5, 2, {}) - (patches - 0.5);
  CHECK(torch::allclose(loss, error.square().mean(1), 1e-4, 1e-6));
}

TEST_CASE("a patch's loss does not depend on the others in the batch") {
  Made made(small_options(), 1);
  const auto patches = random_patches(9, 1);
  const auto together = made->pixel_loss(patches);
  for (std::int64_t i = 0; i < 9; ++i)
    CHECK(torch::allclose(made->pixel_loss(patches.slice(0, i, i + 1))[0], together[i], 1e-5, 1e-8));
}

TEST_CASE("the loss is the network's squared error, averaged over the colors, whatever has changed its parameters") {
  for (const auto& [channels, shortcuts] :
       {std::pair{std::vector<std::int64_t>{4, 8}, std::vector<std::int64_t>{}},
        std::pair{std::vector<std::int64_t>{16, 20, 33}, std::vector<std::int64_t>{1, 3}},
        std::pair{std::vector<std::int64_t>{7}, std::vector<std::int64_t>{1}}}) {
    auto options = small_options();
    options.channels = channels;
    options.shortcuts = shortcuts;
    CAPTURE(options.channels.size());
    Made made(options, 3);
    const auto patches = random_patches(9, 4);
    const auto check = [&](const char* after) {
      CAPTURE(after);
      torch::NoGradGuard no_grad;
      const auto input = patches - 0.5;
      const auto expected =
          (reference(made->network(), input, static_cast<std::int64_t>(options.channels.size()), options.shortcuts) -
           input)
              .square()
              .mean(1);
      auto found = made->pixel_loss(patches);
      CHECK(found.sizes() == expected.sizes());
      CHECK(torch::allclose(found, expected, 1e-4, 1e-6));
      return found;
    };
    const auto first = check("construction");
    made->train_step(patches);
    const auto second = check("a step");
    CHECK_FALSE(torch::allclose(first, second, 1e-4, 1e-6));
    const auto state = saved(*made);
    for (auto& tensor : made->state()) {
      torch::NoGradGuard no_grad;
      tensor.copy_(tensor * 1.5);
    }
    const auto third = check("the host's writing");
    CHECK_FALSE(torch::allclose(second, third, 1e-4, 1e-6));
    restore(*made, state);
    CHECK(torch::equal(check("load"), second));
    made->reset();
    CHECK_FALSE(torch::allclose(check("reset"), second, 1e-4, 1e-6));
  }
}

TEST_CASE("a patch's loss has the same bits in any batch and with any number of threads") {
  Made made(small_options(), 3);
  const auto patches = random_patches(21, 4);
  const auto all = made->pixel_loss(patches);
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    CHECK(torch::equal(made->pixel_loss(patches), all));
  }
  at::set_num_threads(before);
  for (std::int64_t i = 0; i < 21; ++i)
    CHECK(torch::equal(made->pixel_loss(patches.slice(0, i, i + 1))[0], all[i]));
  // Neither are they bound to lie row by row.
  const auto turned = patches.permute({0, 1, 3, 2}).contiguous().permute({0, 1, 3, 2});
  CHECK(torch::equal(made->pixel_loss(turned), all));
}

TEST_CASE("levels that do not fit the patch and shortcuts that name no level are refused") {
  auto options = small_options();
  options.channels = {4, 4, 4, 4, 4};
  CHECK_THROWS_AS(Made(options, 1), nbs::Error);
  options = small_options();
  options.shortcuts = {3};
  CHECK_THROWS_AS(Made(options, 1), nbs::Error);
  options.channels = {};
  CHECK_THROWS_AS(Made(options, 1), nbs::Error);
}

TEST_CASE("learning returns the loss before the step and reduces it") {
  auto options = small_options();
  options.learning_rate = 5e-3;
  Made made(options, 7);
  // Smooth patches, which five numbers can describe: a color and a slope.
  auto generator = nbs::make_generator(2);
  const auto ramp = torch::linspace(-0.2, 0.2, 16).view({1, 1, 1, 16});
  const auto patches = (0.3 + 0.4 * torch::rand({32, 3, 1, 1}, generator) + ramp).expand({32, 3, 16, 16}).contiguous();
  const double before = made->pixel_loss(patches).mean().item<double>();
  const double first = made->train_step(patches);
  CHECK(first == doctest::Approx(before).epsilon(1e-4));
  for (int step = 0; step < 200; ++step)
    made->train_step(patches);
  CHECK(made->pixel_loss(patches).mean().item<double>() < 0.1 * before);
}

TEST_CASE("re-initializing is the same for the same seed, gives new numbers, and forgets the optimizer") {
  Made a(small_options(), 9);
  Made b(small_options(), 9);
  CHECK(same_parameters(*a, *b));
  const auto patches = random_patches(4, 1);
  const auto first = a->pixel_loss(patches);
  a->train_step(patches);
  a->reset();
  b->reset();
  CHECK(same_parameters(*a, *b));
  CHECK_FALSE(torch::allclose(a->pixel_loss(patches), first));
  // a has a past that b has not; were it not forgotten, this step would differ.
  a->train_step(patches);
  b->train_step(patches);
  CHECK(same_parameters(*a, *b));
  Made other(small_options(), 10);
  CHECK_FALSE(same_parameters(*a, *other));
}

TEST_CASE("state() is live: what is written into it is what pixel_loss uses") {
  Made a(small_options(), 1);
  Made b(small_options(), 2);
  const auto patches = random_patches(4, 1);
  {
    torch::NoGradGuard no_grad;
    auto to = b->state();
    const auto from = a->state();
    for (std::size_t i = 0; i < to.size(); ++i)
      to[i].copy_(from[i]);
  }
  CHECK(torch::equal(a->pixel_loss(patches), b->pixel_loss(patches)));
}

TEST_CASE("after save and load results and further learning are the same bit for bit") {
  Made original(small_options(), 1);
  const auto patches = random_patches(8, 3);
  for (int step = 0; step < 3; ++step)
    original->train_step(patches);
  Made copy(small_options(), 2);
  restore(*copy, saved(*original));
  CHECK(torch::equal(copy->pixel_loss(patches), original->pixel_loss(patches)));
  for (int step = 0; step < 3; ++step)
    CHECK(copy->train_step(patches) == original->train_step(patches));
  CHECK(same_parameters(*copy, *original));
}
