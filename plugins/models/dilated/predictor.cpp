// SPDX-License-Identifier: Apache-2.0
#include "predictor.h"

#include <cmath>
#include <vector>

#include "nbs/initialize.h"

namespace nbs::dilated {

DilatedPredictor::DilatedPredictor(const Options& options, Context& context)
    : context_(context),
      options_(options),
      features_(options.inputs, context),
      network_(Network(features_.channels(), options),
               {options.learning_rate, options.weight_decay, options.ema_decay,
                options.schedule == Schedule::cosine ? context.facts().training_steps : 0},
               context, [prior = options.prior](Network& network, at::Generator& generator) {
                 initialize(*network, generator,
                            std::sqrt(6.0));  // He et al. 2015: all layers but the last end in a ReLU
                 network->set_prior(prior);
               }) {}

double DilatedPredictor::train_step(const PredictorInput& input, const torch::Tensor& masks,
                                    const PredictionLoss& loss) {
  network_->train();
  const auto features = network_.to_device(features_.of(input));
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
  const auto features = network_.to_device(features_.of(input));
  for (std::int64_t b = 0; b < features.size(0); ++b)
    results.push_back(network_->forward(features.slice(0, b, b + 1), {}));
  return torch::cat(results).to(torch::kCPU);
}

}  // namespace nbs::dilated
