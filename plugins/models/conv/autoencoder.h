// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mutex>
#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/context.h"
#include "nbs/trainable_network.h"

#include "fast_gradient.h"
#include "fast_network.h"
#include "network.h"
#include "options.h"

namespace nbs::conv {

/// The paper's autoencoder: strided convolutions to a 1 x 1 x B bottleneck and back, trained on squared error.
class ConvAutoencoder : public Autoencoder {
 public:
  using Options = conv::Options;

  ConvAutoencoder(const Options& options, Context& context);

  void reset() override;
  double train_step(const torch::Tensor& patches) override;
  torch::Tensor pixel_loss(const torch::Tensor& patches) override;
  bool concurrent_losses() const override { return true; }
  std::vector<torch::Tensor> state() override { return network_->parameters(); }
  void save(State& state) const override { network_.save(state); }
  void load(const State& state) override { network_.load(state); }

  /// The network, for tests.
  Network& network() { return network_.network(); }

 private:
  torch::Tensor prepare(const torch::Tensor& patches) const;
  void update_fast();

  TrainableNetwork<Network> network_;
  FastNetwork fast_;
  FastGradient fast_gradient_;
  std::mutex fast_mutex_;               // held while fast_ is packed
  torch::ScalarType precision_;         // while it learns
  bool trained_ = false;                // since fast_ was packed; a step leaves no trace in the tensors' versions
  std::vector<std::int64_t> versions_;  // of the parameters that fast_ was packed from
};

}  // namespace nbs::conv
