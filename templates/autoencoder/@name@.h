#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <torch/nn/modules/conv.h>

#include "nbs/initialize.h"
#include "nbs/plugin.h"
#include "nbs/trainable_network.h"

namespace @name@_plugin {

struct Options {
  std::int64_t channels = 16;
  std::int64_t bottleneck = 4;
  double learning_rate = 2e-3;

  static void declare(nbs::Schema<Options>& s) {
    s.add("channels", &Options::channels).range(1, 512).doc("Channels at half the patch's size.");
    s.add("bottleneck", &Options::bottleneck).range(1, 512).doc("Channels at a quarter of it, which all must pass.");
    s.add("learning_rate", &Options::learning_rate).range(1e-6, 1).doc("Step size of Adam.");
  }
};

/// Two convolutions that halve the patch each, and two transposed ones back.
class NetImpl : public torch::nn::Module {
 public:
  explicit NetImpl(const Options& options)
      : down1_(shape<torch::nn::Conv2dOptions>(3, options.channels)),
        down2_(shape<torch::nn::Conv2dOptions>(options.channels, options.bottleneck)),
        up2_(shape<torch::nn::ConvTranspose2dOptions>(options.bottleneck, options.channels)),
        up1_(shape<torch::nn::ConvTranspose2dOptions>(options.channels, 3)) {
    register_module("down1", down1_);
    register_module("down2", down2_);
    register_module("up2", up2_);
    register_module("up1", up1_);
  }

  /// [B, 3, p, p] to the same shape.
  torch::Tensor forward(const torch::Tensor& patches) {
    const auto code = down2_(torch::relu(down1_(patches)));
    return up1_(torch::relu(up2_(code)));
  }

 private:
  // Four by four with a stride of two: exactly half, or double, the size.
  template <typename LayerOptions>
  static LayerOptions shape(std::int64_t from, std::int64_t to) {
    return LayerOptions(from, to, 4).stride(2).padding(1);
  }

  torch::nn::Conv2d down1_;
  torch::nn::Conv2d down2_;
  torch::nn::ConvTranspose2d up2_;
  torch::nn::ConvTranspose2d up1_;
};
TORCH_MODULE(Net);

/// Reconstructs patches through a bottleneck; the loss is the squared error. Change it into yours.
class @type@ : public nbs::Autoencoder {
 public:
  using Options = @name@_plugin::Options;

  /// What would only be found out in the middle of a run; `nbs check` asks, too.
  static void check(const Options&, const nbs::Context::Facts& facts) {
    if (facts.patch_size % 4 == 0) return;
    throw nbs::Error("profile.patch_size is " + std::to_string(facts.patch_size) +
                     ", but this autoencoder halves a patch twice; use a multiple of 4");
  }

  @type@(const Options& options, nbs::Context& context)
      : network_(Net(options), {options.learning_rate}, context,
                 [](Net& net, at::Generator& generator) { nbs::initialize(*net, generator); }) {}

  void reset() override { network_.reset(); }

  double train_step(const torch::Tensor& patches) override {
    network_->train();
    const auto loss = errors(network_.to_device(patches)).mean();
    network_.step(loss);
    return loss.item<double>();
  }

  torch::Tensor pixel_loss(const torch::Tensor& patches) override {
    const torch::NoGradGuard no_grad;
    network_->eval();
    return errors(network_.to_device(patches)).to(torch::kCPU);
  }

  /// All that pixel_loss() depends on: the host puts earlier values into these tensors to make loss profiles.
  std::vector<torch::Tensor> state() override {
    auto tensors = network_->parameters();
    for (const auto& buffer : network_->buffers())
      tensors.push_back(buffer);
    return tensors;
  }

  void save(nbs::State& state) const override { network_.save(state); }
  void load(const nbs::State& state) override { network_.load(state); }

 private:
  // [B, p, p]: the squared error, averaged over the three colors.
  torch::Tensor errors(const torch::Tensor& patches) { return (network_->forward(patches) - patches).square().mean(1); }

  nbs::TrainableNetwork<Net> network_;
};

}  // namespace @name@_plugin
