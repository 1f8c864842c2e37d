// SPDX-License-Identifier: Apache-2.0
#include "predictor.h"

#include <algorithm>
#include <vector>

#include "nbs/error.h"
#include "nbs/initialise.h"
#include "nbs/module_state.h"

namespace nbs::dilated {

namespace {

bool has(const std::vector<Input>& inputs, Input wanted) {
  return std::find(inputs.begin(), inputs.end(), wanted) != inputs.end();
}

std::int64_t input_channels(const Options& options, const Context& context) {
  if (options.inputs.empty()) throw Error("inputs is empty; name \"profile\", \"image\" or both");
  return (has(options.inputs, Input::profile) ? context.facts().profile_length : 0) +
         (has(options.inputs, Input::image) ? 3 : 0);
}

}  // namespace

DilatedPredictor::DilatedPredictor(const Options& options, Context& context)
    : context_(context),
      options_(options),
      profile_(has(options.inputs, Input::profile)),
      image_(has(options.inputs, Input::image)),
      network_(input_channels(options, context), options) {
  network_->to(context_.device());
  for (auto& parameter : network_->parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  FlatAdam::Settings settings;
  settings.learning_rate = options.learning_rate;
  settings.weight_decay = options.weight_decay;
  adam_ = FlatAdam(network_->parameters(), settings);
  initialise(*network_, context_.generator());
  network_->set_prior(options.prior);
  average_ = WeightAverage(*network_, options_.average);
}

double DilatedPredictor::learn(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) {
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
  average_.update();
  return value.item<double>();
}

torch::Tensor DilatedPredictor::logits(const PredictorInput& input) {
  torch::NoGradGuard no_grad;
  network_->eval();
  const WeightAverage::Use averaged(average_);
  // Image by image, so that no result depends on what else is asked for.
  std::vector<torch::Tensor> results;
  const auto features = prepare(input);
  for (std::int64_t b = 0; b < features.size(0); ++b)
    results.push_back(network_->forward(features.slice(0, b, b + 1), {}));
  return torch::cat(results).to(torch::kCPU);
}

void DilatedPredictor::save(State& state) const {
  save_module(*network_, state);
  adam_.save(state);
  average_.save(state);
}

void DilatedPredictor::load(const State& state) {
  load_module(*network_, state);
  adam_.load(state);
  average_.load(state);
}

torch::Tensor DilatedPredictor::prepare(const PredictorInput& input) const {
  torch::Tensor features;
  if (profile_ && image_) {
    features = torch::cat({input.profile, input.image - 0.5}, 1);
  } else {
    features = profile_ ? input.profile : input.image - 0.5;
  }
  return features.to(context_.device()).contiguous(torch::MemoryFormat::ChannelsLast);
}

}  // namespace nbs::dilated
