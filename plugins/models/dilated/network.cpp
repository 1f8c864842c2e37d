// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <cmath>
#include <string>
#include <utility>

#include "nbs/batch_norm_relu.h"
#include "nbs/precision.h"

namespace nbs::dilated {

NetworkImpl::NetworkImpl(std::int64_t inputs, const Options& options) {
  using torch::nn::Conv2dOptions;
  for (std::size_t i = 0; i < options.dilations.size(); ++i) {
    const std::int64_t d = options.dilations[i];
    const bool normalized = options.normalization == Normalization::batch;
    layers_.emplace_back(Conv2dOptions(i == 0 ? inputs : options.channels, options.channels, 3)
                             .padding(d)
                             .dilation(d)
                             .bias(!normalized));
    register_module("layer" + std::to_string(i), layers_.back());
    if (normalized) {
      norms_.emplace_back(torch::nn::BatchNorm2dOptions(options.channels));
      register_module("norm" + std::to_string(i), norms_.back());
    }
  }
  head_ = register_module(
      "head", torch::nn::Conv2d(Conv2dOptions(options.dilations.empty() ? inputs : options.channels, 1, 1)));
}

torch::Tensor NetworkImpl::forward(torch::Tensor features, const torch::Tensor& keep) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    features = apply_layer(layers_[i], features);
    features = norms_.empty() ? features.relu_() : batch_norm_relu(features, norms_[i]);
  }
  if (keep.defined()) features = features * keep;
  return apply_layer(head_, features).squeeze(1);
}

void NetworkImpl::set_prior(double probability) {
  torch::NoGradGuard no_grad;
  head_->bias.fill_(std::log(probability / (1 - probability)));
}

}  // namespace nbs::dilated
