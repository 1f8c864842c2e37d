// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <cmath>
#include <string>

#include "nbs/error.h"
#include "nbs/precision.h"

namespace nbs::bergmann {

namespace {

constexpr double kSlope = 0.2;  // of LeakyReLU

struct Layer {
  std::int64_t channels;
  std::int64_t stride;  // 2: kernel 4, halves the map; 1: kernel 3
};

// The encoder without its last convolution, outermost first.
std::vector<Layer> layers_for(std::int64_t patch_size, std::int64_t width) {
  std::vector<Layer> layers;
  if (patch_size == 256) layers.push_back({width, 2});
  layers.insert(
      layers.end(),
      {{width, 2}, {width, 2}, {width, 1}, {2 * width, 2}, {2 * width, 1}, {4 * width, 2}, {2 * width, 1}, {width, 1}});
  return layers;
}

torch::nn::Conv2d convolution(std::int64_t inputs, std::int64_t outputs, std::int64_t stride) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(inputs, outputs, stride == 2 ? 4 : 3).stride(stride).padding(1));
}

}  // namespace

UpsampleImpl::UpsampleImpl(std::int64_t inputs, std::int64_t outputs)
    : weight_(register_parameter("weight", torch::zeros({4 * outputs, inputs, 2, 2}))),
      bias_(register_parameter("bias", torch::zeros({outputs}))) {}

torch::Tensor UpsampleImpl::forward(const torch::Tensor& map) {
  const auto type = map.scalar_type();
  // Each 2x2 window of the padded map gives the 2x2 pixels between its centers; those outside the result are cut off.
  const auto spread = torch::pixel_shuffle(torch::conv2d(map, weight_.to(type), {}, 1, 1), 2);
  return spread.slice(2, 1, -1).slice(3, 1, -1) + bias_.to(type).view({1, -1, 1, 1});
}

NetworkImpl::NetworkImpl(std::int64_t patch_size, std::int64_t width, std::int64_t latent)
    : inner_size_(patch_size == 64 ? 4 : 8), inner_channels_(width) {
  if (patch_size != 64 && patch_size != 128 && patch_size != 256) {
    throw Error(
        "the architecture is made for patches of 128 pixels, and also takes 64 and 256, but profile.patch_size "
        "is " +
        std::to_string(patch_size) + "; set it to one of these, or use the autoencoder \"conv\"");
  }
  const auto layers = layers_for(patch_size, width);
  std::int64_t inputs = 3;
  for (const auto& layer : layers) {
    encoder_.push_back(register_module("encoder" + std::to_string(encoder_.size() + 1),
                                       convolution(inputs, layer.channels, layer.stride)));
    inputs = layer.channels;
  }
  // A convolution over the whole of a small map is a matrix product, and so is its transpose.
  const std::int64_t inner = inner_channels_ * inner_size_ * inner_size_;
  squeeze_ = register_module("squeeze", torch::nn::Linear(inner, latent));
  spread_ = register_module("spread", torch::nn::Linear(latent, inner));
  for (std::size_t i = layers.size(); i-- > 0;) {
    const std::string name = "decoder" + std::to_string(i + 1);
    const std::int64_t outputs = i == 0 ? 3 : layers[i - 1].channels;
    if (layers[i].stride == 2) {
      auto layer = register_module(name, Upsample(layers[i].channels, outputs));
      decoder_.emplace_back([layer](const torch::Tensor& map) mutable { return layer->forward(map); });
    } else {
      torch::nn::Conv2d layer = register_module(name, convolution(layers[i].channels, outputs, 1));
      decoder_.emplace_back([layer](const torch::Tensor& map) mutable { return apply_layer(layer, map); });
    }
  }
}

void NetworkImpl::draw(at::Generator& generator) {
  torch::NoGradGuard no_grad;
  for (auto& item : named_parameters()) {
    auto& parameter = item.value();
    if (parameter.dim() < 2) {
      parameter.zero_();
      continue;
    }
    // What the linear layer before the latent vector and the last one give passes no LeakyReLU.
    const bool linear = item.key() == "squeeze.weight" || item.key() == "decoder1.weight";
    const double gain = linear ? 1 : std::sqrt(2 / (1 + kSlope * kSlope));
    const double fan_in = static_cast<double>(parameter.numel()) / static_cast<double>(parameter.size(0));
    const double bound = gain * std::sqrt(3 / fan_in);
    parameter.uniform_(-bound, bound, generator);
  }
}

torch::Tensor NetworkImpl::forward(const torch::Tensor& patches) {
  auto map = patches;
  for (auto& layer : encoder_)
    map = torch::leaky_relu(apply_layer(layer, map), kSlope);
  const auto code = apply_layer(squeeze_, map.permute({0, 2, 3, 1}).flatten(1));
  map = apply_layer(spread_, code).view({-1, inner_size_, inner_size_, inner_channels_}).permute({0, 3, 1, 2});
  for (const auto& layer : decoder_)
    map = layer(torch::leaky_relu(map, kSlope));
  return map;
}

}  // namespace nbs::bergmann
