// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/rewards.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace nbs::training {

namespace {

// The pixels that the patches of an episode have covered.
class Coverage {
 public:
  Coverage(std::int64_t image_size, std::int64_t patch_size) : image_size_(image_size), patch_size_(patch_size) {}

  // The share of the patch that is not covered.
  double fresh(const Patch& patch) const {
    const auto map = covered_.find(patch.image);
    if (map == covered_.end()) return 1;
    std::int64_t count = 0;
    for (std::int64_t y = patch.y; y < patch.y + patch_size_; ++y) {
      const char* const row = map->second.data() + y * image_size_ + patch.x;
      count += std::count(row, row + patch_size_, 0);
    }
    return static_cast<double>(count) / static_cast<double>(patch_size_ * patch_size_);
  }
  void add(const Patch& patch) {
    auto& map = covered_[patch.image];
    map.resize(static_cast<std::size_t>(image_size_ * image_size_), 0);
    for (std::int64_t y = patch.y; y < patch.y + patch_size_; ++y)
      std::fill_n(map.data() + y * image_size_ + patch.x, patch_size_, 1);
  }

 private:
  std::int64_t image_size_;
  std::int64_t patch_size_;
  std::map<std::int64_t, std::vector<char>> covered_;  // [S, S], by image
};

}  // namespace

double beta(const config::RewardOptions& options, std::int64_t iteration) {
  if (options.schedule == config::BetaSchedule::zero) return 0;
  if (options.schedule == config::BetaSchedule::hard) return iteration < options.anneal ? 1 : 0;
  return std::max(0.0, 1.0 - static_cast<double>(iteration) / static_cast<double>(options.anneal));
}

Judge::Judge(config::CloneReward clone, const torch::Tensor& masks, std::int64_t image_size, std::int64_t patch_size)
    : clone_(clone),
      masks_(masks.defined() ? masks.contiguous() : masks),
      image_size_(image_size),
      patch_size_(patch_size) {}

double Judge::clone_reward(const Patch& patch) const {
  if (!masks_.defined() || patch.image >= masks_.size(0)) return 0;
  const float* const mask = masks_.data_ptr<float>() + patch.image * image_size_ * image_size_;
  std::int64_t anomalous = 0;
  for (std::int64_t y = patch.y; y < patch.y + patch_size_; ++y) {
    const float* const row = mask + y * image_size_ + patch.x;
    anomalous += std::count_if(row, row + patch_size_, [](float value) { return value > 0.5F; });
  }
  if (clone_ == config::CloneReward::any) return anomalous > 0 ? -1 : 1;
  return 1 - 2 * static_cast<double>(anomalous) / static_cast<double>(patch_size_ * patch_size_);
}

std::vector<PatchJudgement> Judge::patches(const Rollout& rollout) const {
  Coverage coverage(image_size_, patch_size_);
  std::vector<PatchJudgement> judgements;
  judgements.reserve(rollout.patches.size());
  for (const auto& patch : rollout.patches) {
    judgements.push_back({clone_reward(patch), coverage.fresh(patch)});
    coverage.add(patch);
  }
  return judgements;
}

std::vector<std::vector<PatchJudgement>> Judge::alternatives(const Rollout& rollout) const {
  Coverage coverage(image_size_, patch_size_);
  std::vector<std::vector<PatchJudgement>> judgements(rollout.alternatives.size());
  for (std::size_t t = 0; t < rollout.alternatives.size(); ++t) {
    for (const auto& patch : rollout.alternatives[t])
      judgements[t].push_back({clone_reward(patch), coverage.fresh(patch)});
    coverage.add(rollout.patches[t]);
  }
  return judgements;
}

CloningRewards cloning_rewards(const config::RewardOptions& options, double beta,
                               const std::vector<PatchJudgement>& patches,
                               const std::vector<std::vector<PatchJudgement>>& alternatives) {
  const auto weighted = [&](const std::vector<PatchJudgement>& judgements) {
    std::vector<double> rewards;
    rewards.reserve(judgements.size());
    for (const auto& judgement : judgements)
      rewards.push_back(beta * (options.clone_weight * judgement.clone + options.cover_weight * judgement.coverage));
    return rewards;
  };
  CloningRewards rewards;
  rewards.patches = weighted(patches);
  for (const auto& step : alternatives)
    rewards.alternatives.push_back(weighted(step));
  if (options.normalize) {
    const Normalization normalization(rewards.patches);
    normalization.apply(rewards.patches);
    for (auto& step : rewards.alternatives)
      normalization.apply(step);
  }
  return rewards;
}

std::vector<double> prediction_rewards(const config::RewardOptions& options, double beta, std::int64_t steps,
                                       double prediction_loss) {
  std::vector<double> rewards(static_cast<std::size_t>(steps), 0.0);
  if (steps > 0) rewards.back() = -(1 - beta) * options.prediction_weight * prediction_loss;
  if (options.normalize) Normalization(rewards).apply(rewards);
  return rewards;
}

Normalization::Normalization(const std::vector<double>& rewards) {
  if (rewards.empty()) return;
  const double count = static_cast<double>(rewards.size());
  mean_ = std::accumulate(rewards.begin(), rewards.end(), 0.0) / count;
  double variance = 0;
  for (const double reward : rewards)
    variance += (reward - mean_) * (reward - mean_) / count;
  deviation_ = std::sqrt(variance);
}

void Normalization::apply(std::vector<double>& rewards) const {
  for (double& reward : rewards)
    reward = deviation_ > 0 ? (reward - mean_) / deviation_ : 0;
}

}  // namespace nbs::training
