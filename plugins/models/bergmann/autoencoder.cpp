// SPDX-License-Identifier: Apache-2.0
#include "autoencoder.h"

namespace nbs::bergmann {

BergmannAutoencoder::BergmannAutoencoder(const Options& options, Context& context)
    : options_(options),
      ssim_(options.window, options.weights, options.c1, options.c2),
      network_(Network(context.facts().patch_size, options.width, options.latent),
               {options.learning_rate, options.weight_decay}, context,
               [](Network& network, at::Generator& generator) { network->draw(generator); }),
      precision_(context.facts().precision) {}

// The network sees values around zero; SSIM compares means, so it needs them as they are.
torch::Tensor BergmannAutoencoder::reconstruct(const torch::Tensor& patches, torch::ScalarType precision) {
  const auto input = (patches - 0.5).to(precision).contiguous(torch::MemoryFormat::ChannelsLast);
  return network_->forward(input).to(torch::kFloat32) + 0.5;
}

// Losses [B, 3, p, p] of patches on the device, with gradient.
torch::Tensor BergmannAutoencoder::residual(const torch::Tensor& patches, torch::ScalarType precision) {
  const auto result = reconstruct(patches, precision);
  return options_.loss == Loss::l2 ? (result - patches).square() : 1 - ssim_.map(result, patches);
}

double BergmannAutoencoder::train_step(const torch::Tensor& patches) {
  const auto loss = residual(network_.to_device(patches), precision_).mean();
  network_.step(loss);
  return loss.item<double>();
}

torch::Tensor BergmannAutoencoder::pixel_loss(const torch::Tensor& patches) {
  torch::NoGradGuard no_grad;
  // Rounding can leave a similarity a little above 1.
  return residual(network_.to_device(patches), torch::kFloat32).mean(1).clamp_min(0).to(torch::kCPU).contiguous();
}

}  // namespace nbs::bergmann
