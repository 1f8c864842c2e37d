// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/context.h"
#include "nbs/trainable_network.h"

#include "network.h"
#include "options.h"
#include "ssim.h"

namespace nbs::bergmann {

/// The autoencoder of Bergmann, Löwe, Fauser, Sattlegger & Steger 2018 (the paper's [4]).
class BergmannAutoencoder : public Autoencoder {
 public:
  using Options = bergmann::Options;

  BergmannAutoencoder(const Options& options, Context& context);

  void reset() override { network_.reset(); }
  /// Minimizes the mean of pixel_loss().
  double train_step(const torch::Tensor& patches) override;
  torch::Tensor pixel_loss(const torch::Tensor& patches) override;
  std::vector<torch::Tensor> state() override { return network_->parameters(); }
  void save(State& state) const override { network_.save(state); }
  void load(const State& state) override { network_.load(state); }

  /// What the network makes of patches [B, 3, p, p] in [0, 1] when it computes in such numbers: [B, 3, p, p], not
  /// bounded.
  torch::Tensor reconstruct(const torch::Tensor& patches, torch::ScalarType precision = torch::kFloat32);

 private:
  torch::Tensor residual(const torch::Tensor& patches, torch::ScalarType precision);

  Options options_;
  Ssim ssim_;
  TrainableNetwork<Network> network_;
  torch::ScalarType precision_;  // while it learns
};

}  // namespace nbs::bergmann
