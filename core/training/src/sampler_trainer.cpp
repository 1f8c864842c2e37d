// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/sampler_trainer.h"

#include <algorithm>
#include <numeric>

#include "nbs/training/divergence.h"
#include "nbs/training/rewards.h"

namespace nbs::training {

namespace {

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The part of a signed reward list that says something, as the share of positives.
std::optional<double> clean_share(const std::vector<double>& signs) {
  const auto clean = std::count(signs.begin(), signs.end(), 1.0);
  const auto judged = static_cast<std::int64_t>(signs.size()) - std::count(signs.begin(), signs.end(), 0.0);
  if (judged == 0) return std::nullopt;
  return static_cast<double>(clean) / static_cast<double>(judged);
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

const std::vector<Patch>* SamplerTrainer::on_labeled(const IterationRollouts& rollouts) const {
  if (rollouts.cloning) return &rollouts.cloning->patches;
  return settings_.train.autoencoder_images == config::AutoencoderImages::all ? &rollouts.training.patches : nullptr;
}

void SamplerTrainer::train(const IterationRollouts& rollouts, std::optional<double> prediction_loss, bool warming_up,
                           record::IterationMetrics& metrics) {
  const std::int64_t iteration = metrics.iteration;
  const auto& training = rollouts.training.patches;
  const auto* const labeled = on_labeled(rollouts);
  const auto& judged = labeled != nullptr ? *labeled : training;
  const auto signs = labeled != nullptr ? clone_signs(judged, images_.masks, settings_.profile.patch_size)
                                        : std::vector<double>(judged.size(), 0.0);
  const auto coverage = new_coverage(judged, images_.size(), settings_.profile.patch_size);
  if (const auto share = clean_share(signs)) metrics.r_clone = 2 * *share - 1;
  metrics.coverage = mean(coverage);
  if (!sampler_.is_trainable()) return;
  const double weight = beta(settings_.reward, iteration);
  metrics.beta = weight;
  if (prediction_loss) metrics.r_pred = -*prediction_loss;
  if (warming_up) return;

  std::vector<RewardedRollout> rewarded;
  if (rollouts.cloning && weight > 0)
    rewarded.push_back({&*rollouts.cloning, cloning_rewards(settings_.reward, weight, signs, coverage), 0});
  if (prediction_loss && weight < 1) {
    const std::size_t index = rollouts.cloning ? 1 : 0;
    rewarded.push_back(
        {&rollouts.training,
         prediction_rewards(settings_.reward, weight, static_cast<std::int64_t>(training.size()), *prediction_loss),
         index});
  }
  if (rewarded.empty()) return;
  for (auto& [name, value] : sampler_.train_step(rewarded)) {
    require_finite(value, name.c_str(), iteration, "a learning rate of the sampler that is too high");
    metrics.sampler.emplace_back(name, value);
  }
}

}  // namespace nbs::training
