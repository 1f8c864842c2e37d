// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/sampler_trainer.h"

#include <utility>

#include "nbs/training/divergence.h"
#include "nbs/training/rewards.h"

namespace nbs::training {

namespace {

// Adds the mean of R_clone, over the patches of labeled images, and of the coverage.
void add_means(const std::vector<PatchJudgement>& judgements, const std::vector<Patch>& patches, std::int64_t labeled,
               record::IterationMetrics& metrics) {
  double clone = 0;
  double coverage = 0;
  std::int64_t judged = 0;
  for (std::size_t i = 0; i < patches.size(); ++i) {
    coverage += judgements[i].coverage;
    if (patches[i].image >= labeled) continue;
    clone += judgements[i].clone;
    ++judged;
  }
  if (judged > 0) metrics.r_clone = clone / static_cast<double>(judged);
  metrics.coverage = patches.empty() ? 0 : coverage / static_cast<double>(patches.size());
}

}  // namespace

SamplerTrainer::SamplerTrainer(Sampler& sampler, const TrainingImages& images, const Settings& settings,
                               TrainingScene& labeled, TrainingScene& all)
    : sampler_(sampler), images_(images), settings_(settings), labeled_(labeled), all_(all) {}

IterationRollouts SamplerTrainer::roll_out() {
  const bool cloning = sampler_.is_trainable() && images_.labeled > 0;
  std::vector<RolloutRequest> requests;
  if (cloning) requests.push_back({&labeled_, settings_.train.clone_patches});
  requests.push_back({&all_, settings_.train.patches});
  auto rollouts = sampler_.sample_all(requests);
  IterationRollouts result;
  if (cloning) result.cloning = std::move(rollouts.front());
  result.training = std::move(rollouts.back());
  return result;
}

const Rollout* SamplerTrainer::on_labeled(const IterationRollouts& rollouts) const {
  if (rollouts.cloning) return &*rollouts.cloning;
  return settings_.train.autoencoder_images == config::AutoencoderImages::all ? &rollouts.training : nullptr;
}

void SamplerTrainer::train(const IterationRollouts& rollouts, std::optional<double> prediction_loss, bool warming_up,
                           record::IterationMetrics& metrics) {
  const std::int64_t iteration = metrics.iteration;
  const auto* const labeled = on_labeled(rollouts);
  const Judge judge(settings_.reward.clone, labeled != nullptr ? images_.masks : torch::Tensor(), images_.size(),
                    settings_.profile.patch_size);
  const auto& judged = labeled != nullptr ? *labeled : rollouts.training;
  const auto judgements = judge.patches(judged);
  add_means(judgements, judged.patches, labeled != nullptr ? images_.labeled : 0, metrics);
  if (!sampler_.is_trainable()) return;
  const double weight = beta(settings_.reward, iteration);
  metrics.beta = weight;
  if (prediction_loss) metrics.r_pred = -*prediction_loss;
  if (warming_up) return;

  std::vector<RewardedRollout> rewarded;
  if (rollouts.cloning && weight > 0) {
    auto rewards = cloning_rewards(settings_.reward, weight, judgements, judge.alternatives(*rollouts.cloning));
    rewarded.push_back({&*rollouts.cloning, std::move(rewards.patches), 0, std::move(rewards.alternatives)});
  }
  if (prediction_loss && weight < 1) {
    const std::size_t index = rollouts.cloning ? 1 : 0;
    const auto steps = static_cast<std::int64_t>(rollouts.training.patches.size());
    auto rewards = prediction_rewards(settings_.reward, weight, steps, *prediction_loss);
    rewarded.push_back({&rollouts.training, std::move(rewards), index, {}});
  }
  if (rewarded.empty()) return;
  for (auto& [name, value] : sampler_.train_step(rewarded)) {
    require_finite(value, name.c_str(), iteration, "a learning rate of the sampler that is too high");
    metrics.sampler.emplace_back(name, value);
  }
}

}  // namespace nbs::training
