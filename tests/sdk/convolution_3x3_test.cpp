// SPDX-License-Identifier: Apache-2.0
#include "nbs/convolution_3x3.h"

#include <cstdint>
#include <tuple>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/autograd.h>

#include "nbs/precision.h"
#include "nbs/torch_compat.h"

#include "torch_test.h"

namespace {

using torch::nn::Conv2dOptions;

torch::Tensor drawn(torch::IntArrayRef sizes, std::uint64_t seed) {
  auto generator = nbs::make_generator(seed);
  return torch::randn(sizes, generator);
}

struct Shape {
  std::int64_t batch, inputs, outputs, height, width, dilation;
};

// Whole tiles and parts of tiles, channels that fill vectors and that do not, fewer pixels than a tile or a dilation.
const std::vector<Shape> kShapes = {{2, 16, 16, 16, 16, 1}, {1, 8, 9, 13, 7, 1},   {3, 24, 40, 32, 20, 2},
                                    {1, 33, 17, 31, 33, 8}, {2, 64, 48, 8, 12, 1}, {1, 9, 35, 1, 1, 1},
                                    {1, 16, 8, 3, 5, 8},    {2, 11, 13, 2, 40, 4}, {1, 130, 70, 9, 9, 3}};

struct Given {
  torch::Tensor x, weight, direction;
  explicit Given(const Shape& shape)
      : x(drawn({shape.batch, shape.inputs, shape.height, shape.width}, 1)
              .contiguous(torch::MemoryFormat::ChannelsLast)),
        weight(drawn({shape.outputs, shape.inputs, 3, 3}, 2).contiguous(torch::MemoryFormat::ChannelsLast)),
        direction(drawn({shape.batch, shape.outputs, shape.height, shape.width}, 3)) {}
};

// The result and the gradients of input and weights.
template <typename Function>
std::vector<torch::Tensor> results(const Given& given, torch::ScalarType type, const Function& function) {
  const auto x = given.x.to(type).requires_grad_(true);
  const auto weight = given.weight.to(type).requires_grad_(true);
  const auto y = function(x, weight);
  auto all = torch::autograd::grad({(y * given.direction.to(type)).sum()}, {x, weight});
  all.insert(all.begin(), y);
  return all;
}

std::vector<torch::Tensor> ours(const Given& given, std::int64_t dilation) {
  return results(given, torch::kFloat32, [&](const torch::Tensor& x, const torch::Tensor& weight) {
    return nbs::Convolution3x3::apply(x, weight, dilation);
  });
}

double relative_error(const torch::Tensor& found, const torch::Tensor& expected) {
  return ((found.to(torch::kFloat64) - expected).norm() / expected.norm()).item<double>();
}

torch::nn::Conv2d layer_of(const Conv2dOptions& options) {
  torch::nn::Conv2d layer(options);
  torch::NoGradGuard no_grad;
  layer->weight.copy_(drawn(layer->weight.sizes(), 3));
  if (layer->bias.defined()) layer->bias.copy_(drawn(layer->bias.sizes(), 4));
  return layer;
}

}  // namespace

TEST_CASE("a 3x3 convolution and its gradients are those of the definition in double precision") {
  for (const auto& shape : kShapes) {
    CAPTURE(shape.inputs);
    CAPTURE(shape.height);
    const Given given(shape);
    const auto found = ours(given, shape.dilation);
    const auto expected = results(given, torch::kFloat64, [&](const torch::Tensor& x, const torch::Tensor& weight) {
      return torch::conv2d(x, weight, {}, 1, shape.dilation, shape.dilation);
    });
    for (std::size_t i = 0; i < found.size(); ++i) {
      CAPTURE(i);
      CHECK(found[i].sizes() == expected[i].sizes());
      CHECK(relative_error(found[i], expected[i].detach()) < 2e-5);
    }
    CHECK(found[0].is_contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

TEST_CASE("a result of a 3x3 convolution has the same bits whatever is computed beside it, and with any threads") {
  const int before = at::get_num_threads();
  for (const auto& shape : kShapes) {
    CAPTURE(shape.inputs);
    const Given given(shape);
    at::set_num_threads(1);
    const auto alone = ours(given, shape.dilation);
    at::set_num_threads(3);
    const auto together = ours(given, shape.dilation);
    CHECK(torch::equal(alone[0], together[0]));
    CHECK(torch::equal(alone[1], together[1]));
    CHECK(relative_error(alone[2], together[2].to(torch::kFloat64)) < 2e-5);
    CHECK(torch::equal(together[2], ours(given, shape.dilation)[2]));
    const auto last = given.x.slice(0, shape.batch - 1);
    CHECK(torch::equal(nbs::Convolution3x3::apply(last, given.weight, shape.dilation),
                       alone[0].slice(0, shape.batch - 1)));
  }
  at::set_num_threads(before);
}

TEST_CASE("3x3 layers that keep the size of their input are computed so, others by LibTorch") {
  const auto x = drawn({2, 16, 12, 9}, 1).contiguous(torch::MemoryFormat::ChannelsLast);
  for (const bool bias : {false, true}) {
    auto layer = layer_of(Conv2dOptions(16, 24, 3).padding(2).dilation(2).bias(bias));
    auto expected = nbs::Convolution3x3::apply(x, layer->weight, 2);
    if (bias) expected = expected + layer->bias.view({1, -1, 1, 1});
    CHECK(nbs::is_convolution_3x3(layer));
    CHECK(torch::equal(nbs::apply_layer(layer, x), expected));
    CHECK(torch::allclose(expected, layer->forward(x), 1e-3, 1e-3));
  }
  const std::vector<Conv2dOptions> others = {Conv2dOptions(16, 24, 3),
                                             Conv2dOptions(16, 24, 3).padding(1).dilation(2),
                                             Conv2dOptions(16, 24, 3).padding(1).stride(2),
                                             Conv2dOptions(16, 24, 3).padding(1).groups(2),
                                             Conv2dOptions(16, 24, 3).padding(1).padding_mode(torch::kReflect),
                                             Conv2dOptions(16, 24, 1),
                                             Conv2dOptions(16, 24, {3, 1}).padding({1, 0}),
                                             Conv2dOptions(16, 4, 3).padding(1)};
  for (const auto& options : others) {
    auto layer = layer_of(options);
    CHECK(!nbs::is_convolution_3x3(layer));
    CHECK(torch::equal(nbs::apply_layer(layer, x), layer->forward(x)));
  }
}
