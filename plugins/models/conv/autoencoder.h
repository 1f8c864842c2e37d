// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nbs/adam.h"
#include "nbs/autoencoder.h"
#include "nbs/context.h"

#include "network.h"
#include "options.h"

namespace nbs::conv {

/// The paper's autoencoder: strided convolutions to a 1 x 1 x B bottleneck and back, trained on squared error.
class ConvAutoencoder : public Autoencoder {
 public:
  using Options = conv::Options;

  ConvAutoencoder(const Options& options, Context& context);

  void reinitialise() override;
  double learn(const torch::Tensor& patches) override;
  torch::Tensor pixel_loss(const torch::Tensor& patches) override;
  std::vector<torch::Tensor> state() override { return network_->parameters(); }
  void save(State& state) const override;
  void load(const State& state) override;

  /// The network, for tests.
  Network& network() { return network_; }

 private:
  torch::Tensor prepare(const torch::Tensor& patches) const;

  Context& context_;
  Network network_;
  FlatAdam adam_;
};

}  // namespace nbs::conv
