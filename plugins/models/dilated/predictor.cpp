// SPDX-License-Identifier: Apache-2.0
#include "predictor.h"

#include <algorithm>
#include <vector>

#include "nbs/error.h"
#include "nbs/initialise.h"

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
      network_(Network(input_channels(options, context), options),
               {options.learning_rate, options.weight_decay, options.average}, context,
               [prior = options.prior](Network& network, at::Generator& generator) {
                 initialise(*network, generator);
                 network->set_prior(prior);
               }) {}

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
  network_.step(value);
  return value.item<double>();
}

torch::Tensor DilatedPredictor::logits(const PredictorInput& input) {
  torch::NoGradGuard no_grad;
  network_->eval();
  const auto averaged = network_.averaged();
  // Image by image, so that no result depends on what else is asked for.
  std::vector<torch::Tensor> results;
  const auto features = prepare(input);
  for (std::int64_t b = 0; b < features.size(0); ++b)
    results.push_back(network_->forward(features.slice(0, b, b + 1), {}));
  return torch::cat(results).to(torch::kCPU);
}

torch::Tensor DilatedPredictor::prepare(const PredictorInput& input) const {
  torch::Tensor features;
  if (profile_ && image_) {
    features = torch::cat({input.profile, input.image - 0.5}, 1);
  } else {
    features = profile_ ? input.profile : input.image - 0.5;
  }
  return network_.to_device(features);
}

}  // namespace nbs::dilated
