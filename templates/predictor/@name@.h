#pragma once

#include <cstdint>

#include <torch/nn/modules/conv.h>

#include "nbs/initialize.h"
#include "nbs/plugin.h"
#include "nbs/trainable_network.h"

namespace @name@_plugin {

struct Options {
  std::int64_t channels = 16;
  double learning_rate = 2e-3;

  static void declare(nbs::Schema<Options>& s) {
    s.add("channels", &Options::channels).range(1, 512).doc("Channels of the hidden layers.");
    s.add("learning_rate", &Options::learning_rate).range(1e-6, 1).doc("Step size of Adam.");
  }
};

/// Three convolutions from the T loss maps of a profile to one logit for each pixel.
class NetImpl : public torch::nn::Module {
 public:
  NetImpl(std::int64_t maps, const Options& options)
      : first_(torch::nn::Conv2dOptions(maps, options.channels, 3).padding(1)),
        second_(torch::nn::Conv2dOptions(options.channels, options.channels, 3).padding(2).dilation(2)),
        last_(torch::nn::Conv2dOptions(options.channels, 1, 1)) {
    register_module("first", first_);
    register_module("second", second_);
    register_module("last", last_);
  }

  /// [B, T, H, W] to [B, H, W].
  torch::Tensor forward(const torch::Tensor& profile) {
    return last_(torch::relu(second_(torch::relu(first_(profile))))).squeeze(1);
  }

 private:
  torch::nn::Conv2d first_;
  torch::nn::Conv2d second_;
  torch::nn::Conv2d last_;
};
TORCH_MODULE(Net);

/// Reads masks from loss profiles. Change it into yours.
class @type@ : public nbs::Predictor {
 public:
  using Options = @name@_plugin::Options;

  @type@(const Options& options, nbs::Context& context)
      : network_(Net(context.facts().profile_length, options), {options.learning_rate}, context,
                 [](Net& net, at::Generator& generator) { nbs::initialize(*net, generator); }) {}

  bool needs_profile() const override { return true; }
  bool needs_image() const override { return false; }
  bool is_trainable() const override { return true; }

  double train_step(const nbs::PredictorInput& input, const torch::Tensor& masks,
                    const nbs::PredictionLoss& loss) override {
    network_->train();
    const auto value = loss(network_->forward(network_.to_device(input.profile)), network_.to_device(masks));
    network_.step(value);
    return value.item<double>();
  }

  torch::Tensor logits(const nbs::PredictorInput& input) override {
    const torch::NoGradGuard no_grad;
    network_->eval();
    return network_->forward(network_.to_device(input.profile)).to(torch::kCPU);
  }

  void save(nbs::State& state) const override { network_.save(state); }
  void load(const nbs::State& state) override { network_.load(state); }

 private:
  nbs::TrainableNetwork<Net> network_;
};

}  // namespace @name@_plugin
