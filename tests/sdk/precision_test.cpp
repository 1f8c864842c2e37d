// SPDX-License-Identifier: Apache-2.0
#include "nbs/precision.h"

#include <cstdint>
#include <tuple>
#include <vector>

#include <torch/autograd.h>

#include "nbs/torch_compat.h"

#include "torch_test.h"

namespace {

using torch::nn::Conv2dOptions;

torch::Tensor drawn(torch::IntArrayRef sizes, std::uint64_t seed) {
  auto generator = nbs::make_generator(seed);
  return torch::randn(sizes, generator);
}

torch::nn::Conv2d layer_of(const Conv2dOptions& options) {
  torch::nn::Conv2d layer(options);
  torch::NoGradGuard no_grad;
  layer->weight.copy_(drawn(layer->weight.sizes(), 3).contiguous(torch::MemoryFormat::ChannelsLast));
  if (layer->bias.defined()) layer->bias.copy_(drawn(layer->bias.sizes(), 4));
  return layer;
}

// Result, gradient of the input, gradient of the weights.
std::vector<torch::Tensor> with_gradients(torch::nn::Conv2d& layer, const torch::Tensor& x, torch::ScalarType type) {
  const auto input = x.to(type).contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_(true);
  const auto y = nbs::apply_layer(layer, input);
  const auto direction = drawn(y.sizes(), 6).to(type);
  auto gradients = torch::autograd::grad({(y * direction).sum()}, {input, layer->weight});
  return {y, gradients[0], gradients[1]};
}

// Without AVX-512 LibTorch sums the gradients of a bfloat16 convolution in bfloat16, too, which loses the more the more
// pixels there are. nbs trains in it only where the processor multiplies it.
bool sums_in_float32() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512bw") != 0;
#else
  return false;
#endif
}

double relative_error(const torch::Tensor& found, const torch::Tensor& expected) {
  return ((found.to(torch::kFloat64) - expected).norm() / expected.to(torch::kFloat64).norm()).item<double>();
}

}  // namespace

TEST_CASE("a convolution by kinds is the dilated one") {
  for (const auto& [height, width, dilation, padding] :
       {std::tuple{16, 16, 2, 1}, std::tuple{17, 22, 3, 1}, std::tuple{40, 25, 8, 1}, std::tuple{30, 31, 4, 0},
        std::tuple{9, 12, 4, 3}, std::tuple{5, 3, 8, 1}}) {
    CAPTURE(height);
    const auto x = drawn({2, 5, height, width}, 1).to(torch::kFloat64).contiguous(torch::MemoryFormat::ChannelsLast);
    const auto weight = drawn({7, 5, 3, 3}, 2).to(torch::kFloat64);
    const auto bias = drawn({7}, 3).to(torch::kFloat64);
    const auto expected = torch::conv2d(x, weight, bias, 1, dilation * padding, dilation);
    const auto found = nbs::conv2d_by_kinds(x, weight, bias, dilation, padding);
    CHECK(found.sizes() == expected.sizes());
    CHECK(torch::allclose(found, expected, 1e-10, 1e-10));
    CHECK(found.is_contiguous(torch::MemoryFormat::ChannelsLast));
  }
}

TEST_CASE("in bfloat16 a layer and its gradients are those of float32 to the last of eight bits") {
  // 24 channels at 128 pixels are among those whose gradients LibTorch 1.13 gives as NaN by itself.
  for (const auto& [options, size] : {std::pair{Conv2dOptions(24, 24, 3).padding(1).bias(false), 32},
                                      std::pair{Conv2dOptions(24, 24, 3).padding(2).dilation(2).bias(false), 128},
                                      std::pair{Conv2dOptions(8, 24, 3).padding(8).dilation(8), 64},
                                      std::pair{Conv2dOptions(3, 5, 4).stride(2).padding(1), 17},
                                      std::pair{Conv2dOptions(6, 4, 3).padding(1).dilation(2), 20},  // not by kinds
                                      std::pair{Conv2dOptions(7, 1, 1), 12}}) {
    CAPTURE(options.in_channels());
    CAPTURE(size);
    auto layer = layer_of(options);
    const auto x = drawn({2, options.in_channels(), size, size}, 5).to(torch::kBFloat16).to(torch::kFloat32);
    const auto expected = with_gradients(layer, x, torch::kFloat32);
    const auto found = with_gradients(layer, x, torch::kBFloat16);
    CHECK(found[0].dtype() == torch::kBFloat16);
    CHECK(found[2].dtype() == torch::kFloat32);
    for (std::size_t i = 0; i < found.size(); ++i)
      CHECK(relative_error(found[i], expected[i]) < (i == 0 || sums_in_float32() ? 0.01 : 0.3));
  }
  torch::nn::Linear dense(12, 5);
  const auto x = drawn({3, 12}, 1).to(torch::kBFloat16);
  CHECK(relative_error(nbs::apply_layer(dense, x), dense->forward(x.to(torch::kFloat32))) < 0.01);
}

TEST_CASE("in float32 it is the layer itself; padding in words is refused in bfloat16") {
  auto layer = layer_of(Conv2dOptions(3, 5, 3).padding(torch::kSame));
  const auto x = drawn({1, 3, 8, 8}, 1);
  CHECK(torch::equal(nbs::apply_layer(layer, x), layer->forward(x)));
  CHECK_THROWS_WITH_AS(nbs::apply_layer(layer, x.to(torch::kBFloat16)),
                       doctest::Contains("padding is given in numbers"), nbs::Error);
}
