// SPDX-License-Identifier: Apache-2.0
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include "nbs/initialize.h"
#include "nbs/module.h"
#include "nbs/plugin.h"
#include "nbs/trainable_network.h"

namespace {

/// Two layers that look at the profile of one pixel, T numbers, and at nothing around it: what the profile alone knows.
struct NetImpl : torch::nn::Module {
  NetImpl(std::int64_t length, std::int64_t hidden)
      : layers(torch::nn::Conv2d(torch::nn::Conv2dOptions(length, hidden, 1)), torch::nn::ReLU(),
               torch::nn::Conv2d(torch::nn::Conv2dOptions(hidden, 1, 1))) {
    register_module("layers", layers);
  }
  torch::Tensor forward(const torch::Tensor& profiles) { return layers->forward(profiles).squeeze(1); }

  torch::nn::Sequential layers;
};
TORCH_MODULE(Net);

class PerPixelPredictor : public nbs::Predictor {
 public:
  struct Options {
    std::int64_t hidden = 16;
    double learning_rate = 1e-2;

    static void declare(nbs::Schema<Options>& s) {
      s.add("hidden", &Options::hidden).range(1, 4096).doc("Channels of the hidden layer.");
      s.add("learning_rate", &Options::learning_rate).range(1e-8, 10).doc("Adam's step size.");
    }
  };

  PerPixelPredictor(const Options& options, nbs::Context& context)
      : network_(Net(context.facts().profile_length, options.hidden), {options.learning_rate}, context,
                 [](Net& net, at::Generator& generator) { nbs::initialize(*net, generator); }) {}

  bool needs_profile() const override { return true; }
  bool needs_image() const override { return false; }
  bool is_trainable() const override { return true; }

  double train_step(const nbs::PredictorInput& input, const torch::Tensor& masks,
                    const nbs::PredictionLoss& loss) override {
    const auto value = loss(network_->forward(network_.to_device(input.profile)), network_.to_device(masks));
    network_.step(value);
    return value.item<double>();
  }

  torch::Tensor logits(const nbs::PredictorInput& input) override {
    const torch::NoGradGuard no_grad;
    return network_->forward(network_.to_device(input.profile)).to(torch::kCPU).contiguous();
  }

  void save(nbs::State& state) const override { network_.save(state); }
  void load(const nbs::State& state) override { network_.load(state); }

 private:
  nbs::TrainableNetwork<Net> network_;
};

}  // namespace

NBS_PLUGIN("per_pixel", "1.0.0") {
  registrar.add<PerPixelPredictor>("per_pixel", "A small network for every pixel's profile, without its surroundings");
}
