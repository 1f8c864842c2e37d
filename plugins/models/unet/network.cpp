// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <cmath>
#include <string>

#include "nbs/batch_norm_relu.h"
#include "nbs/error.h"
#include "nbs/precision.h"

namespace nbs::unet {

namespace {

// How many pixels are missing to a multiple of `unit`.
std::int64_t missing(std::int64_t size, std::int64_t unit) {
  return (unit - size % unit) % unit;
}

// LibTorch refuses the same, in words that help nobody who writes pipelines.
void require_statistics(const torch::Tensor& images, std::int64_t values, std::size_t depth) {
  if (values > 1) return;
  throw Error(
      "a batch of " + std::to_string(images.size(0)) + " crop of " + std::to_string(images.size(2)) + " x " +
      std::to_string(images.size(3)) + " pixels, halved " + std::to_string(depth) +
      " times, leaves batch normalization a single value in each channel, but it needs two; raise buffer.batch " +
      "or buffer.crop, or lower the U-Net's depth");
}

}  // namespace

BlockImpl::BlockImpl(std::int64_t inputs, std::int64_t outputs, bool normalized) {
  for (std::int64_t i = 0; i < 2; ++i) {
    // A bias before a normalization would be taken out again.
    convolutions_.emplace_back(
        torch::nn::Conv2dOptions(i == 0 ? inputs : outputs, outputs, 3).padding(1).bias(!normalized));
    register_module("convolution" + std::to_string(i), convolutions_.back());
    if (normalized) {
      norms_.emplace_back(torch::nn::BatchNorm2dOptions(outputs));
      register_module("norm" + std::to_string(i), norms_.back());
    }
  }
}

torch::Tensor BlockImpl::forward(torch::Tensor features) {
  for (std::size_t i = 0; i < convolutions_.size(); ++i) {
    features = apply_layer(convolutions_[i], features);
    features = norms_.empty() ? features.relu_() : batch_norm_relu(features, norms_[i]);
  }
  return features;
}

NetworkImpl::NetworkImpl(std::int64_t inputs, const Options& options)
    : deepest_channels_(options.width << options.depth), normalized_(options.normalization == Normalization::batch) {
  const auto channels = [&](std::int64_t level) { return options.width << level; };
  for (std::int64_t level = 0; level <= options.depth; ++level) {
    encoder_.emplace_back(level == 0 ? inputs : channels(level - 1), channels(level), normalized_);
    register_module("encoder" + std::to_string(level), encoder_.back());
  }
  for (std::int64_t level = options.depth - 1; level >= 0; --level) {
    // A transposed convolution of kernel 2 and stride 2 is a 1x1 convolution whose channels are spread over 2x2 pixels.
    up_.emplace_back(torch::nn::Conv2dOptions(channels(level + 1), 4 * channels(level), 1));
    register_module("up" + std::to_string(level), up_.back());
    decoder_.emplace_back(2 * channels(level), channels(level), normalized_);
    register_module("decoder" + std::to_string(level), decoder_.back());
  }
  head_ = register_module("head", torch::nn::Conv2d(torch::nn::Conv2dOptions(options.width, 1, 1)));
}

torch::Tensor NetworkImpl::forward(const torch::Tensor& images, const torch::Tensor& keep) {
  const std::int64_t height = images.size(2);
  const std::int64_t width = images.size(3);
  const std::int64_t unit = std::int64_t{1} << up_.size();
  const std::int64_t below = missing(height, unit);
  const std::int64_t right = missing(width, unit);
  auto features = images;
  if (below + right > 0) {  // LibTorch pads no bfloat16
    features = torch::replication_pad2d(images.to(torch::kFloat32), {0, right, 0, below}).to(images.scalar_type());
  }
  features = features.contiguous(torch::MemoryFormat::ChannelsLast);
  if (is_training() && normalized_) {
    const auto deepest = features.size(0) * (features.size(2) / unit) * (features.size(3) / unit);
    require_statistics(images, deepest, up_.size());
  }
  std::vector<torch::Tensor> skips;
  for (std::size_t level = 0; level < encoder_.size(); ++level) {
    if (level > 0) features = torch::max_pool2d(features, 2);
    features = encoder_[level]->forward(features);
    skips.push_back(features);
  }
  if (keep.defined()) features = features * keep;
  for (std::size_t i = 0; i < up_.size(); ++i) {
    const auto& skip = skips[skips.size() - 2 - i];
    features = torch::pixel_shuffle(apply_layer(up_[i], features), 2);
    features = decoder_[i]->forward(torch::cat({skip, features}, 1));
  }
  return apply_layer(head_, features).squeeze(1).slice(1, 0, height).slice(2, 0, width);
}

void NetworkImpl::set_prior(double probability) {
  torch::NoGradGuard no_grad;
  head_->bias.fill_(std::log(probability / (1 - probability)));
}

}  // namespace nbs::unet
