// SPDX-License-Identifier: Apache-2.0
#include "autoencoder.h"

#include "nbs/module_state.h"

namespace nbs::bergmann {

BergmannAutoencoder::BergmannAutoencoder(const Options& options, Context& context)
    : context_(context),
      options_(options),
      ssim_(options.window, options.weights, options.c1, options.c2),
      network_(context.facts().patch_size, options.width, options.latent) {
  network_->to(context_.device());
  // oneDNN is about twice as fast with channels last.
  for (auto& parameter : network_->parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  FlatAdam::Settings settings;
  settings.learning_rate = options_.learning_rate;
  settings.weight_decay = options_.weight_decay;
  adam_ = FlatAdam(network_->parameters(), settings);
  network_->draw(context_.generator());
}

void BergmannAutoencoder::reinitialise() {
  network_->draw(context_.generator());
  adam_.forget();
}

// The network sees values around zero; SSIM compares means, so it needs them as they are.
torch::Tensor BergmannAutoencoder::reconstruct(const torch::Tensor& patches) {
  return network_->forward((patches - 0.5).contiguous(torch::MemoryFormat::ChannelsLast)) + 0.5;
}

// Losses [B, 3, p, p] of patches on the device, with gradient.
torch::Tensor BergmannAutoencoder::residual(const torch::Tensor& patches) {
  const auto result = reconstruct(patches);
  return options_.loss == Loss::l2 ? (result - patches).square() : 1 - ssim_.map(result, patches);
}

double BergmannAutoencoder::learn(const torch::Tensor& patches) {
  const auto loss = residual(patches.to(context_.device())).mean();
  adam_.zero_grad();
  loss.backward();
  adam_.step();
  return loss.item<double>();
}

torch::Tensor BergmannAutoencoder::pixel_loss(const torch::Tensor& patches) {
  torch::NoGradGuard no_grad;
  // Rounding can leave a similarity a little above 1.
  return residual(patches.to(context_.device())).mean(1).clamp_min(0).to(torch::kCPU).contiguous();
}

void BergmannAutoencoder::save(State& state) const {
  save_module(*network_, state);
  adam_.save(state);
}

void BergmannAutoencoder::load(const State& state) {
  load_module(*network_, state);
  adam_.load(state);
}

}  // namespace nbs::bergmann
