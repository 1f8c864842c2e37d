// SPDX-License-Identifier: Apache-2.0
#include "autoencoder.h"

#include <ATen/Parallel.h>

#include "nbs/initialize.h"

namespace nbs::conv {

ConvAutoencoder::ConvAutoencoder(const Options& options, Context& context)
    : network_(Network(context.facts().patch_size, options.channels, options.bottleneck, options.shortcuts),
               {options.learning_rate, options.weight_decay}, context,
               [](Network& network, at::Generator& generator) { initialize(*network, generator); }),
      fast_(*network_),
      fast_gradient_(*network_, fast_),
      precision_(context.facts().precision) {}

void ConvAutoencoder::reset() {
  network_.reset();
  trained_ = true;
}

double ConvAutoencoder::train_step(const torch::Tensor& patches) {
  if (patches.is_cpu() && precision_ == torch::kFloat32 && fast_gradient_.fits()) {
    update_fast();
    const double loss = fast_gradient_.run(patches);
    network_.step_along_gradients();
    trained_ = true;
    return loss;
  }
  const auto input = prepare(patches);
  const auto output = network_->forward(input.to(precision_)).to(torch::kFloat32);
  const auto loss = torch::mse_loss(output, input);
  network_.step(loss);
  trained_ = true;
  return loss.item<double>();
}

torch::Tensor ConvAutoencoder::pixel_loss(const torch::Tensor& patches) {
  torch::NoGradGuard no_grad;
  if (!patches.is_cpu() || !network_->parameters().front().is_cpu()) {
    const auto input = prepare(patches);
    return (network_->forward(input) - input).square_().mean(1).to(torch::kCPU);
  }
  update_fast();
  const auto input = patches.contiguous();
  const std::int64_t pixels = input.size(2) * input.size(3);
  auto losses = torch::empty({input.size(0), input.size(2), input.size(3)});
  const float* const from = input.data_ptr<float>();
  float* const to = losses.data_ptr<float>();
  at::parallel_for(0, input.size(0), 4, [&](std::int64_t begin, std::int64_t end) {
    auto workspace = fast_.make_workspace();
    for (std::int64_t b = begin; b < end; ++b)
      fast_.pixel_loss(from + b * 3 * pixels, workspace, to + b * pixels);
  });
  return losses;
}

// The host copies other parameters into the network when it makes profiles.
void ConvAutoencoder::update_fast() {
  const std::lock_guard<std::mutex> lock(fast_mutex_);
  std::vector<std::int64_t> versions;
  for (const auto& parameter : network_->parameters())
    versions.push_back(parameter._version());
  if (!trained_ && versions == versions_) return;
  fast_.update(*network_);
  versions_ = std::move(versions);
  trained_ = false;
}

// Around zero.
torch::Tensor ConvAutoencoder::prepare(const torch::Tensor& patches) const {
  return network_.to_device(patches) - 0.5;
}

}  // namespace nbs::conv
