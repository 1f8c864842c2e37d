// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <algorithm>

#include <ATen/Dispatch.h>
#include <ATen/Parallel.h>
#include <torch/autograd.h>

#include "nbs/error.h"
#include "nbs/precision.h"

namespace nbs::conv {

namespace {

// The same numbers in both: kinds [B, 4 x C, h + 1, w + 1] and the map [B, C, 2h, 2w], channels last.
struct Interleaving {
  std::int64_t batch, channels, height, width;  // of the map

  // Calls copy(from kinds, from map, C numbers) for each pixel of the map.
  template <typename Copy>
  void for_each(const Copy& copy) const {
    at::parallel_for(0, batch * height, 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const std::int64_t y = row % height;
        const std::int64_t kinds_row = (row / height) * (height / 2 + 1) + y / 2 + y % 2;
        for (std::int64_t x = 0; x < width; ++x) {
          const std::int64_t column = x / 2 + x % 2;
          const std::int64_t kind = 2 * (y % 2) + x % 2;
          copy(((kinds_row * (width / 2 + 1) + column) * 4 + kind) * channels, (row * width + x) * channels);
        }
      }
    });
  }
};

// As slices and stacks this costs LibTorch more than the convolution.
class Interleave : public torch::autograd::Function<Interleave> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext*, const torch::Tensor& kinds) {
    const auto from = kinds.contiguous(torch::MemoryFormat::ChannelsLast);
    const Interleaving places = {kinds.size(0), kinds.size(1) / 4, 2 * kinds.size(2) - 2, 2 * kinds.size(3) - 2};
    auto map = torch::empty({places.batch, places.channels, places.height, places.width},
                            kinds.options().memory_format(torch::MemoryFormat::ChannelsLast));
    copy(places, from, map, [](auto* kind, auto* pixel, std::int64_t count) { std::copy_n(kind, count, pixel); });
    return map;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext*,
                                                 torch::autograd::variable_list gradients) {
    const auto from = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast);
    const Interleaving places = {from.size(0), from.size(1), from.size(2), from.size(3)};
    // LibTorch's zeros() do not know memory formats.
    auto kinds = torch::empty({places.batch, 4 * places.channels, places.height / 2 + 1, places.width / 2 + 1},
                              from.options().memory_format(torch::MemoryFormat::ChannelsLast))
                     .zero_();
    copy(places, kinds, from, [](auto* kind, auto* pixel, std::int64_t count) { std::copy_n(pixel, count, kind); });
    return {kinds};
  }

 private:
  template <typename Copy>
  static void copy(const Interleaving& places, const torch::Tensor& kinds, const torch::Tensor& map,
                   const Copy& copy_pixel) {
    AT_DISPATCH_FLOATING_TYPES_AND(torch::kBFloat16, kinds.scalar_type(), "interleave", [&] {
      auto* const of_kinds = kinds.data_ptr<scalar_t>();
      auto* const of_map = map.data_ptr<scalar_t>();
      places.for_each(
          [&](std::int64_t kind, std::int64_t pixel) { copy_pixel(of_kinds + kind, of_map + pixel, places.channels); });
    });
  }
};

}  // namespace

torch::Tensor upsampling_kernel(const torch::Tensor& weight) {
  // Row 2i of the result sees rows i-1 and i of the input through rows 3 and 1 of the kernel, row 2i+1 sees rows i and
  // i+1 through rows 2 and 0; columns alike. So the four kinds of result pixels are four 2x2 convolutions of the padded
  // input, which run as one with four times the channels.
  const auto rows = weight.permute({1, 0, 2, 3});  // [out, in, 4, 4]
  const auto even = torch::tensor({3, 1});
  const auto odd = torch::tensor({2, 0});
  std::vector<torch::Tensor> kernels;
  for (const auto& y : {even, odd}) {
    const auto half = rows.index_select(2, y);
    for (const auto& x : {even, odd})
      kernels.push_back(half.index_select(3, x));
  }
  return torch::cat(kernels);
}

torch::Tensor interleave_slices(const torch::Tensor& kinds) {
  const auto rows = kinds.permute({0, 2, 3, 1});  // [B, h + 1, w + 1, 4 x C]
  const std::int64_t channels = kinds.size(1) / 4;
  const std::int64_t height = kinds.size(2) - 1;
  const std::int64_t width = kinds.size(3) - 1;
  const auto kind = [&](std::int64_t y, std::int64_t x) {
    return rows.slice(1, y, y + height)
        .slice(2, x, x + width)
        .slice(3, (2 * y + x) * channels, (2 * y + x + 1) * channels);
  };
  const auto upper = torch::stack({kind(0, 0), kind(0, 1)}, 3);  // [B, h, w, 2, C]
  const auto lower = torch::stack({kind(1, 0), kind(1, 1)}, 3);
  return torch::stack({upper, lower}, 2).view({-1, 2 * height, 2 * width, channels}).permute({0, 3, 1, 2});
}

torch::Tensor interleave(const torch::Tensor& kinds) {
  return kinds.is_cpu() ? Interleave::apply(kinds) : interleave_slices(kinds);
}

torch::Tensor upsample(const torch::Tensor& map, const torch::Tensor& weight, const torch::Tensor& bias) {
  const auto type = map.scalar_type();
  return interleave(torch::conv2d(map, upsampling_kernel(weight).to(type), bias.repeat({4}).to(type), 1, 1));
}

NetworkImpl::NetworkImpl(std::int64_t patch_size, const std::vector<std::int64_t>& channels, std::int64_t bottleneck,
                         const std::vector<std::int64_t>& shortcuts)
    : inner_channels_(channels.empty() ? 3 : channels.back()) {
  const auto levels = static_cast<std::int64_t>(channels.size());
  if (levels < 1 || levels > 8 || patch_size % (std::int64_t{1} << levels) != 0) {
    throw Error("channels has " + std::to_string(levels) +
                " levels, each of which halves the patch, but profile.patch_size (" + std::to_string(patch_size) +
                ") must be a multiple of 2^levels; change one of them");
  }
  inner_size_ = patch_size >> levels;
  shortcut_ = std::vector<bool>(static_cast<std::size_t>(levels) + 1, false);  // assign() makes GCC 14 warn
  for (const auto level : shortcuts) {
    if (level < 1 || level > levels) {
      throw Error("shortcuts names level " + std::to_string(level) + ", but there are levels 1 to " +
                  std::to_string(levels));
    }
    shortcut_[level] = true;
  }
  using torch::nn::Conv2dOptions;
  using torch::nn::ConvTranspose2dOptions;
  for (std::int64_t i = 0; i < levels; ++i) {
    encoder_.emplace_back(Conv2dOptions(i == 0 ? 3 : channels[i - 1], channels[i], 4).stride(2).padding(1));
    register_module("encoder" + std::to_string(i + 1), encoder_.back());
  }
  // A convolution over the whole of a small map is a matrix product, and so is its transpose.
  const std::int64_t inner = inner_channels_ * inner_size_ * inner_size_;
  squeeze_ = register_module("squeeze", torch::nn::Linear(inner, bottleneck));
  spread_ = register_module("spread", torch::nn::Linear(bottleneck, inner));
  for (std::int64_t i = levels; i >= 1; --i) {
    decoder_.emplace_back(
        ConvTranspose2dOptions(channels[i - 1], i == 1 ? 3 : channels[i - 2], 4).stride(2).padding(1));
    register_module("decoder" + std::to_string(i), decoder_.back());
  }
}

torch::Tensor NetworkImpl::forward(const torch::Tensor& patches) {
  std::vector<torch::Tensor> levels = {patches};
  for (auto& layer : encoder_)
    levels.push_back(torch::leaky_relu(apply_layer(layer, levels.back()), 0.2));
  const auto code = apply_layer(squeeze_, levels.back().permute({0, 2, 3, 1}).flatten(1));
  auto map = apply_layer(spread_, code).view({-1, inner_size_, inner_size_, inner_channels_}).permute({0, 3, 1, 2});
  std::size_t level = levels.size() - 1;
  for (auto& layer : decoder_) {
    map = torch::leaky_relu(map, 0.2);
    if (shortcut_[level]) map = map + levels[level];
    map = upsample(map, layer->weight, layer->bias);
    --level;
  }
  return map;
}

}  // namespace nbs::conv
