// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "nbs/context.h"
#include "nbs/initialize.h"
#include "nbs/options.h"
#include "nbs/predictor.h"
#include "nbs/predictor_features.h"
#include "nbs/trainable_network.h"

namespace nbs {

/// How the step size changes from the first step of a run to the last.
enum class Schedule { constant, cosine };

/// What follows each convolution.
enum class Normalization { batch, none };

/// The options that NetworkPredictor reads. A plugin's own `Options` derive from it, add what the network itself needs,
/// and declare `inputs`, `normalization` and `dropout` with words that say what they are in that network.
struct NetworkPredictorOptions {
  std::vector<PredictorSees> inputs;                   ///< what the network sees
  Normalization normalization = Normalization::batch;  ///< for the network; not read here
  double dropout = 0;                      ///< share of channels set to 0, where the network says, while learning
  double learning_rate = 1e-3;             ///< step size of Adam
  Schedule schedule = Schedule::constant;  ///< whether that stays or falls
  double weight_decay = 0;                 ///< L2 penalty, added to the gradient
  double ema_decay = 0;                    ///< decay per step of the average of the weights; 0: no average
  double prior = 0.5;                      ///< probability that an untrained network starts from

  /// Declares `inputs`; `doc` says what is usual for the network.
  template <typename Options>
  static void declare_inputs(Schema<Options>& s, const char* doc) {
    s.add("inputs", own<Options>(&NetworkPredictorOptions::inputs))
        .choices({{"profile", PredictorSees::profile}, {"image", PredictorSees::image}})
        .doc(doc);
  }
  /// Declares `normalization` and `dropout`; the texts say where they are in the network.
  template <typename Options>
  static void declare_layers(Schema<Options>& s, const char* normalization, const char* dropout) {
    s.add("normalization", own<Options>(&NetworkPredictorOptions::normalization))
        .formerly("normalisation")
        .choices({{"batch", Normalization::batch}, {"none", Normalization::none}})
        .doc(normalization);
    s.add("dropout", own<Options>(&NetworkPredictorOptions::dropout)).range(0, 0.95).doc(dropout);
  }
  /// Declares the others.
  template <typename Options>
  static void declare_learning(Schema<Options>& s) {
    s.add("learning_rate", own<Options>(&NetworkPredictorOptions::learning_rate))
        .range(1e-8, 10)
        .doc("Adam's step size.");
    s.add("schedule", own<Options>(&NetworkPredictorOptions::schedule))
        .choices({{"constant", Schedule::constant}, {"cosine", Schedule::cosine}})
        .doc("Whether the step size stays, or falls to a hundredth along half a cosine over the steps of the run.");
    s.add("weight_decay", own<Options>(&NetworkPredictorOptions::weight_decay))
        .range(0, 1)
        .doc("L2 penalty, added to the gradient.");
    s.add("ema_decay", own<Options>(&NetworkPredictorOptions::ema_decay))
        .formerly("average")
        .range(0, 0.9999)
        .doc(
            "Decay, per step, of a moving average of the weights that predicts in place of the last ones; 0: the last "
            "ones.");
    s.add("prior", own<Options>(&NetworkPredictorOptions::prior))
        .range(1e-6, 0.999999)
        .doc("Probability that an untrained network starts from.");
  }

 private:
  // A member of this struct as one of the struct that derives from it, which a template does not see by itself.
  template <typename Options, typename T>
  static T Options::*own(T NetworkPredictorOptions::*member) {
    return member;
  }
};

/// A predictor that is a convolutional network: all but the network itself. `Network`: a LibTorch module holder, as
/// TORCH_MODULE makes it, with
/// - `forward(features [B, C, H, W], keep)`: logits [B, H, W], computed in the numbers of the features, float32 or
///   bfloat16 (nbs/precision.h); `keep` are factors [B, dropped_channels(), 1, 1] of the
///   features that dropout acts on, or undefined,
/// - `dropped_channels()`: how many these are,
/// - `set_prior(probability)`: sets the bias of the last layer so that logits start around this probability.
/// Weights start from He's initialization (He et al. 2015), as each layer but the last is taken to end in a ReLU.
template <typename Network>
class NetworkPredictor : public Predictor {
 public:
  /// `network` takes PredictorFeatures(options.inputs, context).channels() channels. `context` must outlive the
  /// predictor.
  NetworkPredictor(Network network, const NetworkPredictorOptions& options, Context& context)
      : context_(context),
        dropout_(options.dropout),
        features_(options.inputs, context),
        network_(std::move(network),
                 {options.learning_rate, options.weight_decay, options.ema_decay,
                  options.schedule == Schedule::cosine ? context.facts().training_steps : 0},
                 context, [prior = options.prior](Network& untrained, at::Generator& generator) {
                   initialize(*untrained, generator, std::sqrt(6.0));
                   untrained->set_prior(prior);
                 }) {}

  bool needs_profile() const override { return features_.profile(); }
  bool needs_image() const override { return features_.image(); }
  bool is_trainable() const override { return true; }

  double train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) override {
    network_->train();
    const auto features = network_.to_device(features_.of(input)).to(context_.facts().precision);
    const auto truth = masks.to(context_.device());
    const auto logits = network_->forward(features, kept_channels(features)).to(torch::kFloat32);
    const auto value = loss(logits, truth);
    const auto more = additional_loss(logits, truth);
    network_.step(more.defined() ? value + more : value);
    return value.template item<double>();
  }

  torch::Tensor logits(const PredictorInput& input) override {
    torch::NoGradGuard no_grad;
    network_->eval();
    const auto averaged = network_.averaged();
    // Image by image, so that no result depends on what else is asked for.
    std::vector<torch::Tensor> results;
    const auto features = network_.to_device(features_.of(input));
    for (std::int64_t b = 0; b < features.size(0); ++b)
      results.push_back(network_->forward(features.slice(0, b, b + 1), {}));
    return torch::cat(results).to(torch::kCPU);
  }

  void save(State& state) const override { network_.save(state); }
  void load(const State& state) override { network_.load(state); }

 protected:
  /// How far training is: the share of Context::Facts::training_steps that is done, 0 to 1; 1 where nobody has said how
  /// many there will be.
  double progress() const {
    const auto planned = static_cast<double>(context_.facts().training_steps);
    return planned > 0 ? std::min(1.0, static_cast<double>(network_.steps()) / planned) : 1.0;
  }
  /// What is added to Eq. 2 for the step, a scalar of logits and masks [B, H, W] on the network's device; undefined:
  /// nothing. The loss that train_step() returns is without it.
  virtual torch::Tensor additional_loss(const torch::Tensor& /*logits*/, const torch::Tensor& /*masks*/) const {
    return {};
  }

 private:
  torch::Tensor kept_channels(const torch::Tensor& features) {
    if (dropout_ <= 0) return {};
    auto keep = torch::empty({features.size(0), network_->dropped_channels(), 1, 1});
    keep.bernoulli_(1 - dropout_, context_.generator()).div_(1 - dropout_);
    return keep.to(features.options());
  }

  Context& context_;
  double dropout_;
  PredictorFeatures features_;
  TrainableNetwork<Network> network_;
};

}  // namespace nbs
