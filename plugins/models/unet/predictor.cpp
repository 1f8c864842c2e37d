// SPDX-License-Identifier: Apache-2.0
#include "predictor.h"

#include "nbs/initialise.h"
#include "nbs/module_state.h"

#include "dice.h"

namespace nbs::unet {

UnetPredictor::UnetPredictor(const Options& options, Context& context)
    : context_(context), options_(options), network_(options) {
  network_->to(context_.device());
  // oneDNN is about twice as fast with channels last.
  for (auto& parameter : network_->parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  FlatAdam::Settings settings;
  settings.learning_rate = options_.learning_rate;
  settings.weight_decay = options_.weight_decay;
  adam_ = FlatAdam(network_->parameters(), settings);
  initialise(*network_, context_.generator());
  network_->set_prior(options_.prior);
  average_ = WeightAverage(*network_, options_.average);
}

double UnetPredictor::learn(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) {
  network_->train();
  torch::Tensor keep;
  if (options_.dropout > 0) {
    keep = torch::empty({input.image.size(0), network_->deepest_channels(), 1, 1});
    keep.bernoulli_(1 - options_.dropout, context_.generator()).div_(1 - options_.dropout);
    keep = keep.to(context_.device());
  }
  const auto truth = masks.to(context_.device());
  const auto logits = network_->forward(input.image.to(context_.device()) - 0.5, keep);
  const auto value = loss(logits, truth);
  adam_.zero_grad();
  (options_.dice > 0 ? value + options_.dice * soft_dice_loss(logits, truth) : value).backward();
  adam_.step();
  average_.update();
  return value.item<double>();
}

torch::Tensor UnetPredictor::logits(const PredictorInput& input) {
  torch::NoGradGuard no_grad;
  network_->eval();
  const WeightAverage::Use averaged(average_);
  // Image by image, so that no result depends on what else is asked for.
  std::vector<torch::Tensor> results;
  for (std::int64_t b = 0; b < input.image.size(0); ++b) {
    const auto image = input.image.slice(0, b, b + 1).to(context_.device()) - 0.5;
    results.push_back(network_->forward(image, {}));
  }
  return torch::cat(results).to(torch::kCPU);
}

void UnetPredictor::save(State& state) const {
  save_module(*network_, state);
  adam_.save(state);
  average_.save(state);
}

void UnetPredictor::load(const State& state) {
  load_module(*network_, state);
  adam_.load(state);
  average_.load(state);
}

}  // namespace nbs::unet
