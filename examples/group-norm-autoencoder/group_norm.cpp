// SPDX-License-Identifier: Apache-2.0
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/modules/upsampling.h>

#include "nbs/initialize.h"
#include "nbs/module.h"
#include "nbs/plugin.h"
#include "nbs/trainable_network.h"

namespace {

struct Options {
  std::vector<std::int64_t> channels = {16, 32, 64};
  std::int64_t bottleneck = 32;
  std::int64_t groups = 4;
  double learning_rate = 2e-3;

  static void declare(nbs::Schema<Options>& s) {
    s.add("channels", &Options::channels).range(1, 1024).doc("Channels of the levels; each halves the patch.");
    s.add("bottleneck", &Options::bottleneck).range(1, 4096).doc("Channels at the lowest resolution.");
    s.add("groups", &Options::groups).range(1, 1024).doc("Groups of channels that are normalized together.");
    s.add("learning_rate", &Options::learning_rate).range(1e-8, 10).doc("Adam's step size.");
  }
};

/// Convolutions down to a few numbers and back up, with group normalization (Wu and He 2018) in between. Groups are
/// normalized within a patch, so a patch's loss does not depend on its batch, as profiles ask for.
struct NetImpl : torch::nn::Module {
  explicit NetImpl(const Options& options) {
    namespace nn = torch::nn;
    std::int64_t from = 3;
    for (const auto to : options.channels) {
      add(options, from, to, 2);
      from = to;
    }
    layers->push_back(nn::Conv2d(nn::Conv2dOptions(from, options.bottleneck, 1)));
    from = options.bottleneck;
    for (auto level = options.channels.rbegin(); level != options.channels.rend(); ++level) {
      layers->push_back(
          nn::Upsample(nn::UpsampleOptions().scale_factor(std::vector<double>{2, 2}).mode(torch::kNearest)));
      add(options, from, *level, 1);
      from = *level;
    }
    layers->push_back(nn::Conv2d(nn::Conv2dOptions(from, 3, 3).padding(1)));
    register_module("layers", layers);
  }
  torch::Tensor forward(const torch::Tensor& patches) { return layers->forward(patches); }

 private:
  void add(const Options& options, std::int64_t from, std::int64_t to, std::int64_t stride) {
    namespace nn = torch::nn;
    layers->push_back(nn::Conv2d(nn::Conv2dOptions(from, to, 3).stride(stride).padding(1)));
    layers->push_back(nn::GroupNorm(nn::GroupNormOptions(options.groups, to)));
    layers->push_back(nn::ReLU());
  }
  torch::nn::Sequential layers;
};
TORCH_MODULE(Net);

class GroupNormAutoencoder : public nbs::Autoencoder {
 public:
  using Options = ::Options;

  GroupNormAutoencoder(const Options& options, nbs::Context& context)
      : network_(Net(options), {options.learning_rate}, context,
                 [](Net& net, at::Generator& generator) { nbs::initialize(*net, generator); }) {}

  static void check(const Options& options, const nbs::Context::Facts& facts) {
    for (const auto channels : options.channels) {
      if (channels % options.groups != 0)
        throw nbs::Error("a level has " + std::to_string(channels) + " channels, which groups = " +
                         std::to_string(options.groups) + " does not divide; change one of them");
    }
    const auto levels = static_cast<std::int64_t>(options.channels.size());
    if (levels > 16 || facts.patch_size % (std::int64_t{1} << levels) != 0)
      throw nbs::Error("patches of " + std::to_string(facts.patch_size) + " pixels cannot be halved " +
                       std::to_string(levels) + " times; use fewer channels or another patch_size");
  }

  void reset() override { network_.reset(); }
  double train_step(const torch::Tensor& patches) override {
    const auto loss = errors(patches).mean();
    network_.step(loss);
    return loss.item<double>();
  }
  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    const torch::NoGradGuard no_grad;
    return errors(patches).to(torch::kCPU).contiguous();
  }
  std::vector<torch::Tensor> state() override { return network_->parameters(); }
  void save(nbs::State& state) const override { network_.save(state); }
  void load(const nbs::State& state) override { network_.load(state); }

 private:
  // The squared error of every pixel, averaged over colors.
  torch::Tensor errors(const torch::Tensor& patches) {
    const auto input = network_.to_device(patches) - 0.5;
    return (network_->forward(input) - input).square().mean(1);
  }

  nbs::TrainableNetwork<Net> network_;
};

}  // namespace

NBS_PLUGIN("group_norm", "1.0.0") {
  registrar.add<GroupNormAutoencoder>("group_norm", "Convolutions with group normalization, squared error");
}
