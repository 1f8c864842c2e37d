// SPDX-License-Identifier: Apache-2.0
#include "autoencoder.h"

#include "nbs/initialise.h"

namespace nbs::conv {

ConvAutoencoder::ConvAutoencoder(const Options& options, Context& context)
    : network_(Network(context.facts().patch_size, options.channels, options.bottleneck, options.shortcuts),
               {options.learning_rate, options.weight_decay}, context,
               [](Network& network, at::Generator& generator) { initialise(*network, generator); }) {}

double ConvAutoencoder::learn(const torch::Tensor& patches) {
  const auto input = prepare(patches);
  const auto loss = torch::mse_loss(network_->forward(input), input);
  network_.step(loss);
  return loss.item<double>();
}

torch::Tensor ConvAutoencoder::pixel_loss(const torch::Tensor& patches) {
  torch::NoGradGuard no_grad;
  const auto input = prepare(patches);
  return (network_->forward(input) - input).square_().mean(1).to(torch::kCPU);
}

// Around zero.
torch::Tensor ConvAutoencoder::prepare(const torch::Tensor& patches) const {
  return network_.to_device(patches) - 0.5;
}

}  // namespace nbs::conv
