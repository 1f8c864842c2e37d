// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>
#include <vector>

#include "nbs/adam.h"
#include "nbs/initialise.h"
#include "nbs/plugin.h"

namespace {

struct Options {
  std::vector<std::string> inputs;
  std::vector<std::int64_t> dilations;
  std::int64_t channels = 24;
  std::string normalisation = "batch";
  double dropout = 0;
  double learning_rate = 2e-3;
  double weight_decay = 0;
  double prior = 0.5;

  static void declare(nbs::Schema<Options>& s) {
    s.add("inputs", &Options::inputs, std::vector<std::string>{"profile"})
        .choices({"profile", "image"})
        .doc("What it sees: the loss profile (the paper), the image, or both.");
    s.add("dilations", &Options::dilations, std::vector<std::int64_t>{1, 2, 4, 8, 1})
        .range(1, 128)
        .doc("Dilation of each 3x3 layer; the receptive field is 1 + 2 x their sum, in pixels.");
    s.add("channels", &Options::channels, 24).range(1, 1024).doc("Channels of each layer.");
    s.add("normalisation", &Options::normalisation, "batch")
        .choices({"batch", "none"})
        .doc("Batch normalisation after each layer, or none.");
    s.add("dropout", &Options::dropout, 0.0)
        .range(0, 0.95)
        .doc("Share of channels set to 0 before the last layer while learning.");
    s.add("learning_rate", &Options::learning_rate, 2e-3).range(1e-8, 10).doc("Adam's step size.");
    s.add("weight_decay", &Options::weight_decay, 0.0).range(0, 1).doc("L2 penalty, added to the gradient.");
    s.add("prior", &Options::prior, 0.5)
        .range(1e-6, 0.999999)
        .doc("Probability that an untrained network starts from.");
  }
};

/// 3x3 convolutions of growing dilation, one logit a pixel.
class NetworkImpl : public torch::nn::Module {
 public:
  NetworkImpl(std::int64_t inputs, const Options& options) {
    using torch::nn::Conv2dOptions;
    for (std::size_t i = 0; i < options.dilations.size(); ++i) {
      const std::int64_t d = options.dilations[i];
      const bool normalised = options.normalisation == "batch";
      layers_.emplace_back(Conv2dOptions(i == 0 ? inputs : options.channels, options.channels, 3)
                               .padding(d)
                               .dilation(d)
                               .bias(!normalised));
      register_module("layer" + std::to_string(i), layers_.back());
      if (normalised) {
        norms_.emplace_back(torch::nn::BatchNorm2dOptions(options.channels));
        register_module("norm" + std::to_string(i), norms_.back());
      }
    }
    head_ = register_module(
        "head", torch::nn::Conv2d(Conv2dOptions(options.dilations.empty() ? inputs : options.channels, 1, 1)));
  }

  /// `keep`: [B, C, 1, 1] factors of the last features, or undefined.
  torch::Tensor forward(torch::Tensor features, const torch::Tensor& keep) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      features = layers_[i]->forward(features);
      if (!norms_.empty()) features = norms_[i]->forward(features);
      features = features.relu_();
    }
    if (keep.defined()) features = features * keep;
    return head_->forward(features).squeeze(1);
  }

  void set_prior(double probability) {
    torch::NoGradGuard no_grad;
    head_->bias.fill_(std::log(probability / (1 - probability)));
  }

 private:
  std::vector<torch::nn::Conv2d> layers_;
  std::vector<torch::nn::BatchNorm2d> norms_;
  torch::nn::Conv2d head_ = nullptr;
};
TORCH_MODULE(Network);

bool has(const std::vector<std::string>& texts, const char* wanted) {
  for (const auto& text : texts) {
    if (text == wanted) return true;
  }
  return false;
}

/// The paper's predictor: dilated convolutions over loss profiles.
class DilatedPredictor : public nbs::Predictor {
 public:
  using Options = ::Options;

  DilatedPredictor(const Options& options, nbs::Context& context)
      : context_(context),
        options_(options),
        profile_(has(options.inputs, "profile")),
        image_(has(options.inputs, "image")),
        network_((profile_ ? context.facts().profile_length : 0) + (image_ ? 3 : 0), options) {
    if (!profile_ && !image_) throw nbs::Error("inputs is empty; name \"profile\", \"image\" or both");
    network_->to(context_.device());
    for (auto& parameter : network_->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
    nbs::FlatAdam::Settings settings;
    settings.learning_rate = options.learning_rate;
    settings.weight_decay = options.weight_decay;
    adam_ = nbs::FlatAdam(network_->parameters(), settings);
    nbs::initialise(*network_, context_.generator());
    network_->set_prior(options.prior);
  }

  bool needs_profile() const override { return profile_; }
  bool needs_image() const override { return image_; }
  bool learns() const override { return true; }

  double learn(const nbs::PredictorInput& input, const torch::Tensor& masks, const nbs::PredictionLoss& loss) override {
    network_->train();
    const auto features = prepare(input);
    torch::Tensor keep;
    if (options_.dropout > 0) {
      keep = torch::empty({features.size(0), options_.dilations.empty() ? features.size(1) : options_.channels, 1, 1});
      keep.bernoulli_(1 - options_.dropout, context_.generator()).div_(1 - options_.dropout);
      keep = keep.to(context_.device());
    }
    const auto value = loss(network_->forward(features, keep), masks.to(context_.device()));
    adam_.zero_grad();
    value.backward();
    adam_.step();
    return value.item<double>();
  }

  torch::Tensor logits(const nbs::PredictorInput& input) override {
    torch::NoGradGuard no_grad;
    network_->eval();
    // Image by image, so that no result depends on what else is asked for.
    std::vector<torch::Tensor> results;
    const auto features = prepare(input);
    for (std::int64_t b = 0; b < features.size(0); ++b)
      results.push_back(network_->forward(features.slice(0, b, b + 1), {}));
    return torch::cat(results).to(torch::kCPU);
  }

  void save(torch::serialize::OutputArchive& archive) const override {
    nbs::save_module(*network_, archive);
    adam_.save(archive);
  }
  void load(torch::serialize::InputArchive& archive) override {
    nbs::load_module(*network_, archive);
    adam_.load(archive);
  }

 private:
  torch::Tensor prepare(const nbs::PredictorInput& input) const {
    torch::Tensor features;
    if (profile_ && image_) {
      features = torch::cat({input.profile, input.image - 0.5}, 1);
    } else {
      features = profile_ ? input.profile : input.image - 0.5;
    }
    return features.to(context_.device()).contiguous(torch::MemoryFormat::ChannelsLast);
  }

  nbs::Context& context_;
  Options options_;
  bool profile_;
  bool image_;
  Network network_;
  nbs::FlatAdam adam_;
};

}  // namespace

NBS_PLUGIN("dilated", "1.0.0") {
  registrar.add<DilatedPredictor>("dilated", "Dilated convolutions over loss profiles, images, or both");
}
