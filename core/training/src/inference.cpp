// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/inference.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/tensor.h"
#include "nbs/training/batches.h"
#include "nbs/training/reference_loss.h"

namespace nbs::training {

namespace {

// Probabilities of 0 and 1 have logits as well: 1 is taken as the largest number below it that a float can be, and
// small ones, which a float can tell apart, are only kept from outweighing all others.
constexpr double kLeastProbability = 1e-12;
constexpr double kLargestProbability = 1 - 5.96e-8;

torch::Tensor bounded_logit(const torch::Tensor& probability) {
  const auto inside = probability.to(torch::kFloat64).clamp(kLeastProbability, kLargestProbability);
  return torch::log(inside) - torch::log1p(-inside);
}

}  // namespace

torch::Tensor combined(const torch::Tensor& by_predictor, std::int64_t fully_taught) {
  if (by_predictor.size(0) == 1) return by_predictor[0];
  const auto logits = bounded_logit(by_predictor);
  const auto others = logits.size(0) - fully_taught;
  if (fully_taught == 0 || others == 0) return torch::sigmoid(logits.mean(0)).to(torch::kFloat32);
  const auto of_all = logits.slice(0, 0, fully_taught).mean(0);
  const auto of_others = logits.slice(0, fully_taught).mean(0);
  return torch::sigmoid((of_all + of_others) / 2).to(torch::kFloat32);
}

Inference::Inference(Components components, const config::ProfileOptions& profile, bool dihedral,
                     std::int64_t image_size, Model model)
    : components_(std::move(components)),
      profile_(profile),
      dihedral_(dihedral),
      // Without profiles, [profile] is not looked at.
      tiling_(components_.predictor->needs_profile()
                  ? Tiling(image_size, std::min(profile.patch_size, image_size), profile.tile_step, profile.tile_offset,
                           profile.tile_pattern)
                  : Tiling(image_size, image_size)),
      model_(std::move(model)) {
  if (components_.predictor->needs_profile() && model_.cycles.empty())
    throw Error("the predictor needs loss profiles, but the model holds no autoencoder to make them; run it again");
  if (components_.predictor->needs_profile() && !components_.autoencoder)
    throw Error("the predictor needs loss profiles, but the pipeline has no [autoencoder]; add that section");
  if (components_.predictor->needs_profile())
    require_fit(model_.cycles, *components_.autoencoder, profile_.length, image_size);
  components_.predictor->load(model_.predictor);
  if (model_.folds.size() > components_.folds.size()) {
    throw Error(
        fmt::format("the model has the predictors of {} folds, but {} were made; it belongs to another pipeline, "
                    "so run this one again",
                    model_.folds.size(), components_.folds.size()));
  }
  components_.folds.resize(model_.folds.size());
  for (std::size_t k = 0; k < model_.folds.size(); ++k)
    components_.folds[k]->load(model_.folds[k].predictor);
}

torch::Tensor Inference::profile(const torch::Tensor& image) {
  return replay_profile(*components_.autoencoder, tiling_, model_.cycles.back().snapshots, image);
}

torch::Tensor Inference::prepared_profile(const Cycle& cycle, const torch::Tensor& image) {
  auto recorded = replay_profile(*components_.autoencoder, tiling_, cycle.snapshots, image);
  const auto scales = profile_scales(profile_, map_means(recorded));
  for (std::size_t t = 0; t < cycle.reference.size(); ++t) {
    auto map = recorded[static_cast<std::int64_t>(t)];
    map.copy_(relative_loss(map, cycle.reference[t]));
  }
  return prepare_profile(profile_, recorded, scales);
}

// Logits [S, S].
torch::Tensor Inference::predict(Predictor& predictor, const PredictorInput& input) const {
  if (!dihedral_) return predictor.logits(input)[0];
  torch::Tensor sum;
  for (std::int64_t symmetry = 0; symmetry < 8; ++symmetry) {
    PredictorInput changed;
    if (input.profile.defined()) changed.profile = dihedral(input.profile, symmetry).contiguous();
    if (input.image.defined()) changed.image = dihedral(input.image, symmetry).contiguous();
    const auto logits = dihedral_back(predictor.logits(changed)[0], symmetry);
    sum = sum.defined() ? sum.add_(logits) : logits.clone(torch::MemoryFormat::Contiguous);
  }
  return sum.div_(8);
}

// Probabilities [P, S, S], corrected for the prior: a profile is made once for all predictors.
torch::Tensor Inference::mean_over_cycles(const std::vector<std::shared_ptr<Predictor>>& predictors,
                                          const torch::Tensor& image) {
  torch::NoGradGuard no_grad;
  PredictorInput input;
  if (components_.predictor->needs_image()) input.image = image.unsqueeze(0);
  const auto predict_all = [&] {
    std::vector<torch::Tensor> maps;
    maps.reserve(predictors.size());
    for (const auto& predictor : predictors)
      maps.push_back(predict(*predictor, input));
    return torch::stack(maps);
  };
  if (!components_.predictor->needs_profile()) return torch::sigmoid(predict_all().add_(model_.prior_log_odds));
  torch::Tensor sum;
  for (const auto& cycle : model_.cycles) {
    input.profile = prepared_profile(cycle, image).unsqueeze(0);
    const auto logits = predict_all();
    sum = sum.defined() ? sum.add_(logits) : logits;
  }
  return torch::sigmoid(sum.div_(static_cast<double>(model_.cycles.size())).add_(model_.prior_log_odds));
}

torch::Tensor Inference::probability(const torch::Tensor& image) {
  return combined(probability_by_predictor(image), model_.left_out.empty() ? 1 : 0);
}

torch::Tensor Inference::probability_by_predictor(const torch::Tensor& image) {
  auto predictors = components_.folds;
  predictors.insert(predictors.begin(), components_.predictor);
  return mean_over_cycles(predictors, image);
}

const std::shared_ptr<Predictor>& Inference::predictor(std::int64_t number) const {
  return number == 0 ? components_.predictor : components_.folds[static_cast<std::size_t>(number - 1)];
}

torch::Tensor Inference::probability_by(std::int64_t number, const torch::Tensor& image) {
  return mean_over_cycles({predictor(number)}, image)[0];
}

const std::vector<std::int64_t>& Inference::left_out(std::int64_t number) const {
  return number == 0 ? model_.left_out : model_.folds[static_cast<std::size_t>(number - 1)].left_out;
}

std::vector<std::shared_ptr<Predictor>> Inference::predictors_without(std::int64_t i) const {
  std::vector<std::shared_ptr<Predictor>> without;
  for (std::int64_t number = 0; number < predictors(); ++number) {
    const auto& images = left_out(number);
    if (std::find(images.begin(), images.end(), i) != images.end()) without.push_back(predictor(number));
  }
  return without;
}

torch::Tensor Inference::out_of_fold(const torch::Tensor& image, std::int64_t i) {
  const auto predictors = predictors_without(i);
  if (predictors.empty()) return {};
  return combined(mean_over_cycles(predictors, image), 0);
}

}  // namespace nbs::training
