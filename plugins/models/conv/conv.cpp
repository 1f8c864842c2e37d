// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include "nbs/adam.h"
#include "nbs/initialise.h"
#include "nbs/plugin.h"

#include "network.h"

namespace {

/// The paper's autoencoder: strided convolutions to a 1 x 1 x B bottleneck and back, trained on squared error.
class ConvAutoencoder : public nbs::Autoencoder {
 public:
  struct Options {
    std::vector<std::int64_t> channels;
    std::int64_t bottleneck = 32;
    std::vector<std::int64_t> shortcuts;
    double learning_rate = 2e-3;
    double weight_decay = 0;

    static void declare(nbs::Schema<Options>& s) {
      s.add("channels", &Options::channels, std::vector<std::int64_t>{16, 32, 64})
          .range(1, 4096)
          .doc(
              "Channels of the encoder's levels, outermost first; each level halves the patch. The decoder mirrors "
              "it.");
      s.add("bottleneck", &Options::bottleneck, 32).range(1, 65536).doc("B: numbers that a patch is squeezed into.");
      s.add("shortcuts", &Options::shortcuts, std::vector<std::int64_t>{})
          .range(1, 8)
          .doc("Levels (1 = outermost) whose encoder output is added to the decoder's input of the same size.");
      s.add("learning_rate", &Options::learning_rate, 2e-3).range(1e-8, 10).doc("Adam's step size.");
      s.add("weight_decay", &Options::weight_decay, 0.0).range(0, 1).doc("L2 penalty, added to the gradient.");
    }
  };

  ConvAutoencoder(const Options& options, nbs::Context& context)
      : context_(context),
        network_(context.facts().patch_size, options.channels, options.bottleneck, options.shortcuts) {
    network_->to(context_.device());
    for (auto& parameter : network_->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
    nbs::FlatAdam::Settings settings;
    settings.learning_rate = options.learning_rate;
    settings.weight_decay = options.weight_decay;
    adam_ = nbs::FlatAdam(network_->parameters(), settings);
    nbs::initialise(*network_, context_.generator());
  }

  void reinitialise() override {
    nbs::initialise(*network_, context_.generator());
    adam_.forget();
  }

  double learn(const torch::Tensor& patches) override {
    const auto input = prepare(patches);
    const auto loss = torch::mse_loss(network_->forward(input), input);
    adam_.zero_grad();
    loss.backward();
    adam_.step();
    return loss.item<double>();
  }

  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    torch::NoGradGuard no_grad;
    const auto input = prepare(patches);
    return (network_->forward(input) - input).square_().mean(1).to(torch::kCPU);
  }

  std::vector<torch::Tensor> state() override { return network_->parameters(); }

  void save(torch::serialize::OutputArchive& archive) const override {
    nbs::save_module(*network_, archive);
    adam_.save(archive);
  }
  void load(torch::serialize::InputArchive& archive) override {
    nbs::load_module(*network_, archive);
    adam_.load(archive);
  }

 private:
  // Around zero, on the device, channels last: oneDNN is twice as fast there.
  torch::Tensor prepare(const torch::Tensor& patches) const {
    return (patches.to(context_.device()) - 0.5).contiguous(torch::MemoryFormat::ChannelsLast);
  }

  nbs::Context& context_;
  nbs::conv::Network network_;
  nbs::FlatAdam adam_;
};

}  // namespace

NBS_PLUGIN("conv", "1.0.0") {
  registrar.add<ConvAutoencoder>("conv", "Strided convolutions to a 1x1xB bottleneck and back, squared error");
}
