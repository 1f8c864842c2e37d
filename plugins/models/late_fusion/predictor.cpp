// SPDX-License-Identifier: Apache-2.0
#include "late_fusion/predictor.h"

#include <string>

namespace nbs::late_fusion {

namespace {

constexpr const char* kProfile = "profile.";
constexpr const char* kImage = "image.";

void save_part(State& state, const std::string& prefix, const Predictor& part) {
  State own;
  part.save(own);
  for (const auto& [name, value] : own.tensors())
    state.write(prefix + name, value);
}

void load_part(const State& state, const std::string& prefix, Predictor& part) {
  State own;
  own.set_origin(state.origin());
  for (const auto& [name, value] : state.tensors()) {
    if (name.rfind(prefix, 0) == 0) own.write(name.substr(prefix.size()), state.read_as_stored(name));
  }
  part.load(own);
  own.require_all_read();
}

}  // namespace

LateFusionPredictor::LateFusionPredictor(const Options& options, Context& context)
    : image_share_(options.image_share), profile_(options.profile, context), image_(options.image, context) {}

double LateFusionPredictor::train_step(const PredictorInput& input, const torch::Tensor& masks,
                                       const PredictionLoss& loss) {
  double of_mean = 0;
  // One step within the other's, as only there the logits of both before their steps are known.
  profile_.train_step(input, masks, [&](const torch::Tensor& of_profile, const torch::Tensor& truth) {
    image_.train_step(input, masks, [&](const torch::Tensor& of_image, const torch::Tensor& same_truth) {
      torch::NoGradGuard no_grad;
      of_mean = loss(of_profile * (1 - image_share_) + of_image * image_share_, truth).item<double>();
      torch::AutoGradMode gradient(true);
      return loss(of_image, same_truth);
    });
    return loss(of_profile, truth);
  });
  return of_mean;
}

torch::Tensor LateFusionPredictor::logits(const PredictorInput& input) {
  return profile_.logits(input).mul_(1 - image_share_).add_(image_.logits(input), image_share_);
}

void LateFusionPredictor::save(State& state) const {
  save_part(state, kProfile, profile_);
  save_part(state, kImage, image_);
}

void LateFusionPredictor::load(const State& state) {
  load_part(state, kProfile, profile_);
  load_part(state, kImage, image_);
}

}  // namespace nbs::late_fusion
