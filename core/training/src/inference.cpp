// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/inference.h"

#include "nbs/error.h"
#include "nbs/torch.h"
#include "nbs/training/batches.h"
#include "nbs/training/typical_loss.h"

namespace nbs::training {

Inference::Inference(Components components, const config::ProfileOptions& profile, bool dihedral,
                     std::int64_t image_size, Model model)
    : components_(std::move(components)),
      profile_(profile),
      dihedral_(dihedral),
      // Without profiles, [profile] is not looked at.
      tiling_(components_.predictor->needs_profile()
                  ? Tiling(image_size, std::min(profile.patch_size, image_size), profile.tile_step, profile.tile_offset)
                  : Tiling(image_size, image_size)),
      model_(std::move(model)) {
  if (components_.predictor->needs_profile() && model_.lives.empty())
    throw Error("the predictor needs loss profiles, but the model holds no autoencoder to make them; run it again");
  if (components_.predictor->needs_profile() && !components_.autoencoder)
    throw Error("the predictor needs loss profiles, but the pipeline has no [autoencoder]; add that section");
  if (components_.predictor->needs_profile())
    require_fit(model_.lives, *components_.autoencoder, profile_.length, image_size);
  components_.predictor->load(model_.predictor);
}

torch::Tensor Inference::profile(const torch::Tensor& image) {
  return replay_profile(*components_.autoencoder, tiling_, model_.lives.back().snapshots, image);
}

torch::Tensor Inference::prepared_profile(const Life& life, const torch::Tensor& image) {
  auto recorded = replay_profile(*components_.autoencoder, tiling_, life.snapshots, image);
  const auto scales = profile_scales(profile_, map_means(recorded));
  for (std::size_t t = 0; t < life.typical.size(); ++t) {
    auto map = recorded[static_cast<std::int64_t>(t)];
    map.copy_(relative_loss(map, life.typical[t]));
  }
  return prepare_profile(profile_, recorded, scales);
}

torch::Tensor Inference::predict(const PredictorInput& input) {
  auto& predictor = *components_.predictor;
  if (!dihedral_) return torch::sigmoid(predictor.logits(input)[0]);
  torch::Tensor sum;
  for (std::int64_t turn = 0; turn < 8; ++turn) {
    PredictorInput turned;
    if (input.profile.defined()) turned.profile = dihedral(input.profile, turn).contiguous();
    if (input.image.defined()) turned.image = dihedral(input.image, turn).contiguous();
    const auto probability = dihedral_back(torch::sigmoid(predictor.logits(turned)[0]), turn);
    sum = sum.defined() ? sum.add_(probability) : probability.contiguous();
  }
  return sum.div_(8);
}

torch::Tensor Inference::probability(const torch::Tensor& image) {
  torch::NoGradGuard no_grad;
  PredictorInput input;
  if (components_.predictor->needs_image()) input.image = image.unsqueeze(0);
  if (!components_.predictor->needs_profile()) return predict(input);
  torch::Tensor sum;
  for (const auto& life : model_.lives) {
    input.profile = prepared_profile(life, image).unsqueeze(0);
    const auto probability = predict(input);
    sum = sum.defined() ? sum.add_(probability) : probability;
  }
  return sum.div_(static_cast<double>(model_.lives.size()));
}

}  // namespace nbs::training
