// SPDX-License-Identifier: Apache-2.0
#include "plain.h"

#include <torch/autograd.h>

#include "nbs/tensor.h"

namespace nbs::plugin_test {

Rollout PlainSampler::sample(Scene& scene, std::int64_t count) {
  const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
  Rollout rollout;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t image = draw_.below(scene.image_count());
    const std::int64_t y = draw_.below(places);
    rollout.patches.push_back({image, y, draw_.below(places)});
  }
  return rollout;
}

PlainAutoencoder::PlainAutoencoder(Context& context)
    : context_(context), gain_(torch::empty({3, 1, 1})), shift_(torch::empty({3, 1, 1})) {
  reset();
}

void PlainAutoencoder::reset() {
  gain_.uniform_(0.2, 0.8, context_.generator());
  shift_.uniform_(-0.1, 0.1, context_.generator());
}

double PlainAutoencoder::train_step(const torch::Tensor& patches) {
  const auto error = patches * gain_ + shift_ - patches;
  gain_.sub_((error * patches).mean({0, 2, 3}).view({3, 1, 1}), 0.2);
  shift_.sub_(error.mean({0, 2, 3}).view({3, 1, 1}), 0.2);
  return error.square().mean().item<double>();
}

torch::Tensor PlainAutoencoder::pixel_loss(const torch::Tensor& patches) {
  return (patches * gain_ + shift_ - patches).square().mean(1);
}

void PlainAutoencoder::save(State& state) const {
  state.write("gain", gain_);
  state.write("shift", shift_);
}

void PlainAutoencoder::load(const State& state) {
  state.read_into("gain", gain_);
  state.read_into("shift", shift_);
}

PlainPredictor::PlainPredictor() : parameters_(torch::zeros({2})) {}

torch::Tensor PlainPredictor::forward(const PredictorInput& input) const {
  return input.profile.mean(1) * parameters_[0] + parameters_[1];
}

double PlainPredictor::train_step(const PredictorInput& input, const torch::Tensor& masks, const PredictionLoss& loss) {
  parameters_.requires_grad_(true);
  const auto value = loss(forward(input), masks);
  const auto gradient = torch::autograd::grad({value}, {parameters_})[0];
  parameters_ = (parameters_.detach() - 0.5 * gradient).detach();
  return value.item<double>();
}

torch::Tensor PlainPredictor::logits(const PredictorInput& input) {
  return forward(input).detach();
}

void PlainPredictor::save(State& state) const {
  state.write("parameters", parameters_);
}

void PlainPredictor::load(const State& state) {
  parameters_ = state.read("parameters", {2}, torch::kFloat32).clone();
}

}  // namespace nbs::plugin_test
