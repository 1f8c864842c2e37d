// SPDX-License-Identifier: Apache-2.0
#include "nbs/batch_norm_relu.h"

#include <tuple>

#include <torch/autograd.h>

#include "nbs/torch_compat.h"

#include "torch_test.h"

namespace {

struct Result {
  torch::Tensor y, of_x, of_gamma, of_beta, mean, variance;
  std::int64_t batches = 0;
};

struct Layer {
  torch::nn::BatchNorm2d norm;
  Layer(std::int64_t channels, std::uint64_t seed) : norm(channels) {
    torch::NoGradGuard no_grad;
    auto generator = nbs::make_generator(seed);
    norm->weight.copy_(torch::randn({channels}, generator));
    norm->bias.copy_(torch::randn({channels}, generator));
    norm->running_mean.copy_(torch::randn({channels}, generator));
    norm->running_var.copy_(torch::rand({channels}, generator) + 0.5);
  }
};

template <typename Function>
Result result_of(torch::nn::BatchNorm2d& norm, const torch::Tensor& x, const torch::Tensor& direction,
                 const Function& function) {
  const auto input = x.detach().clone(torch::MemoryFormat::Preserve).requires_grad_(true);
  Result result;
  result.y = function(input, norm);
  const auto gradients = torch::autograd::grad({(result.y * direction).sum()}, {input, norm->weight, norm->bias});
  result.of_x = gradients[0];
  result.of_gamma = gradients[1];
  result.of_beta = gradients[2];
  result.mean = norm->running_mean.clone();
  result.variance = norm->running_var.clone();
  result.batches = norm->num_batches_tracked.item<std::int64_t>();
  return result;
}

// LibTorch's own two layers, in double precision.
Result reference(std::int64_t channels, std::uint64_t seed, const torch::Tensor& x, const torch::Tensor& direction) {
  Layer layer(channels, seed);
  layer.norm->to(torch::kFloat64);
  return result_of(
      layer.norm, x.to(torch::kFloat64), direction.to(torch::kFloat64),
      [](const torch::Tensor& input, torch::nn::BatchNorm2d& norm) { return torch::relu(norm->forward(input)); });
}

bool close(const torch::Tensor& a, const torch::Tensor& b) {
  return a.sizes() == b.sizes() && torch::allclose(a.to(torch::kFloat64), b.to(torch::kFloat64), 1e-4, 2e-5);
}

}  // namespace

TEST_CASE("outputs, gradients and running statistics are those of LibTorch's two layers in double precision") {
  for (const auto& [batch, channels, height, width, offset] :
       {std::tuple{4, 24, 33, 31, 0.0}, std::tuple{1, 1, 5, 4, 0.0}, std::tuple{2, 16, 64, 64, 100.0},
        std::tuple{3, 7, 9, 9, -3.0}, std::tuple{1, 33, 80, 80, 0.0}, std::tuple{2, 8, 3, 2, 0.0}}) {
    CAPTURE(channels);
    auto generator = nbs::make_generator(5);
    const auto x = (torch::randn({batch, channels, height, width}, generator) * 2 + offset)
                       .contiguous(torch::MemoryFormat::ChannelsLast);
    const auto direction = torch::randn({batch, channels, height, width}, generator);
    Layer layer(channels, 9);
    const auto found = result_of(layer.norm, x, direction, nbs::batch_norm_relu);
    const auto expected = reference(channels, 9, x, direction);
    // Where a x + b is zero to rounding, either side of ReLU's corner is right.
    const auto sure = (expected.y.abs() > 1e-5) | (found.y.to(torch::kFloat64) == expected.y);
    CHECK(sure.to(torch::kFloat64).mean().item<double>() > 0.999);
    CHECK(close(found.y, expected.y));
    CHECK(close(found.of_x * sure, expected.of_x * sure));
    CHECK(torch::allclose(found.of_gamma.to(torch::kFloat64), expected.of_gamma, 1e-3, 2e-3));
    CHECK(torch::allclose(found.of_beta.to(torch::kFloat64), expected.of_beta, 1e-3, 2e-3));
    CHECK(close(found.mean, expected.mean));
    CHECK(close(found.variance, expected.variance));
    CHECK(found.batches == 1);
    CHECK(expected.batches == 1);
  }
}

TEST_CASE("bfloat16: the numbers of float32, rounded once") {
  for (const std::int64_t channels : {24, 7}) {
    auto generator = nbs::make_generator(5);
    const auto numbers = [&](double offset) {
      return (torch::randn({3, channels, 17, 9}, generator) * 2 + offset)
          .to(torch::kBFloat16)
          .contiguous(torch::MemoryFormat::ChannelsLast);
    };
    const auto x = numbers(3);
    const auto direction = numbers(0);
    Layer layer(channels, 9);
    const auto found = result_of(layer.norm, x, direction, nbs::batch_norm_relu);
    Layer other(channels, 9);
    const auto expected =
        result_of(other.norm, x.to(torch::kFloat32), direction.to(torch::kFloat32), nbs::batch_norm_relu);
    CHECK(found.y.dtype() == torch::kBFloat16);
    CHECK(found.y.is_contiguous(torch::MemoryFormat::ChannelsLast));
    CHECK(torch::equal(found.y, expected.y.to(torch::kBFloat16)));
    CHECK(torch::equal(found.of_x, expected.of_x.to(torch::kBFloat16)));
    CHECK(torch::equal(found.of_gamma, expected.of_gamma));
    CHECK(torch::equal(found.of_beta, expected.of_beta));
    CHECK(torch::equal(found.mean, expected.mean));
    CHECK(torch::equal(found.variance, expected.variance));
  }
}

TEST_CASE("without gradients the running statistics are used, in one pass and the same numbers") {
  for (const std::int64_t channels : {24, 7, 1}) {
    auto generator = nbs::make_generator(5);
    const auto x = torch::randn({2, channels, 9, 5}, generator).mul_(3).contiguous(torch::MemoryFormat::ChannelsLast);
    Layer layer(channels, 9);
    layer.norm->eval();
    const auto with_gradients = nbs::batch_norm_relu(x, layer.norm);
    torch::NoGradGuard no_grad;
    const auto found = nbs::batch_norm_relu(x, layer.norm);
    layer.norm->to(torch::kFloat64);
    CHECK(close(found, torch::relu(layer.norm->forward(x.to(torch::kFloat64)))));
    CHECK(close(found, with_gradients));
    CHECK(found.is_contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

TEST_CASE("the bits do not depend on the number of threads") {
  auto generator = nbs::make_generator(5);
  const auto x = torch::randn({4, 24, 60, 60}, generator).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto direction = torch::randn({4, 24, 60, 60}, generator);
  const int before = at::get_num_threads();
  std::vector<Result> results;
  for (const int threads : {1, 2, 5}) {
    at::set_num_threads(threads);
    Layer layer(24, 9);
    results.push_back(result_of(layer.norm, x, direction, nbs::batch_norm_relu));
  }
  at::set_num_threads(before);
  for (const auto& result : results) {
    CHECK(torch::equal(result.y, results[0].y));
    CHECK(torch::equal(result.of_x, results[0].of_x));
    CHECK(torch::equal(result.of_gamma, results[0].of_gamma));
    CHECK(torch::equal(result.of_beta, results[0].of_beta));
    CHECK(torch::equal(result.variance, results[0].variance));
  }
}

TEST_CASE("a gradient that does not lie channels last, or is broadcast, gives the same") {
  auto generator = nbs::make_generator(5);
  const auto x = torch::randn({2, 8, 6, 6}, generator).contiguous(torch::MemoryFormat::ChannelsLast);
  Layer layer(8, 9);
  const auto found = result_of(layer.norm, x, torch::ones({1, 1, 1, 1}).expand({2, 8, 6, 6}), nbs::batch_norm_relu);
  const auto expected = reference(8, 9, x, torch::ones({2, 8, 6, 6}));
  CHECK(close(found.of_x, expected.of_x));
}

TEST_CASE("outside training the running statistics count and do not move; other layouts are LibTorch's matter") {
  auto generator = nbs::make_generator(5);
  const auto x = torch::randn({2, 8, 6, 6}, generator);
  Layer layer(8, 9);
  layer.norm->eval();
  const auto before = layer.norm->running_mean.clone();
  const auto expected = torch::relu(layer.norm->forward(x));
  CHECK(torch::equal(nbs::batch_norm_relu(x.contiguous(torch::MemoryFormat::ChannelsLast), layer.norm),
                     expected.contiguous(torch::MemoryFormat::ChannelsLast)));
  CHECK(torch::equal(layer.norm->running_mean, before));
  layer.norm->train();
  CHECK(close(nbs::batch_norm_relu(x, layer.norm),
              nbs::batch_norm_relu(x.contiguous(torch::MemoryFormat::ChannelsLast), layer.norm)));
}
