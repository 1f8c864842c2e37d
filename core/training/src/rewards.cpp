// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/rewards.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace nbs::training {

double beta(const config::RewardOptions& options, std::int64_t iteration) {
  if (options.schedule == config::BetaSchedule::zero) return 0;
  if (options.schedule == config::BetaSchedule::hard) return iteration < options.anneal ? 1 : 0;
  return std::max(0.0, 1.0 - static_cast<double>(iteration) / static_cast<double>(options.anneal));
}

std::vector<double> clone_signs(const std::vector<Patch>& patches, const torch::Tensor& masks,
                                std::int64_t patch_size) {
  std::vector<double> signs(patches.size(), 0.0);
  if (!masks.defined() || masks.size(0) == 0) return signs;
  const auto rows = masks.contiguous();
  const float* const values = rows.data_ptr<float>();
  const std::int64_t size = masks.size(1);
  for (std::size_t i = 0; i < patches.size(); ++i) {
    const auto& patch = patches[i];
    if (patch.image >= masks.size(0)) continue;
    bool anomalous = false;
    for (std::int64_t y = patch.y; y < patch.y + patch_size && !anomalous; ++y) {
      const float* const row = values + (patch.image * size + y) * size + patch.x;
      anomalous = std::any_of(row, row + patch_size, [](float value) { return value > 0.5F; });
    }
    signs[i] = anomalous ? -1 : 1;
  }
  return signs;
}

std::vector<double> new_coverage(const std::vector<Patch>& patches, std::int64_t image_size, std::int64_t patch_size) {
  std::map<std::int64_t, std::vector<char>> covered;
  std::vector<double> shares;
  shares.reserve(patches.size());
  for (const auto& patch : patches) {
    auto& map = covered[patch.image];
    map.resize(static_cast<std::size_t>(image_size * image_size), 0);
    std::int64_t fresh = 0;
    for (std::int64_t y = patch.y; y < patch.y + patch_size; ++y) {
      char* const row = map.data() + y * image_size + patch.x;
      fresh += std::count(row, row + patch_size, 0);
      std::fill(row, row + patch_size, 1);
    }
    shares.push_back(static_cast<double>(fresh) / static_cast<double>(patch_size * patch_size));
  }
  return shares;
}

std::vector<double> cloning_rewards(const config::RewardOptions& options, double beta, const std::vector<double>& signs,
                                    const std::vector<double>& coverage) {
  std::vector<double> rewards(signs.size());
  for (std::size_t i = 0; i < signs.size(); ++i)
    rewards[i] = beta * (options.clone_weight * signs[i] + options.cover_weight * coverage[i]);
  return options.normalize ? normalized(std::move(rewards)) : rewards;
}

std::vector<double> prediction_rewards(const config::RewardOptions& options, double beta, std::int64_t steps,
                                       double prediction_loss) {
  std::vector<double> rewards(static_cast<std::size_t>(steps), 0.0);
  if (steps > 0) rewards.back() = -(1 - beta) * options.prediction_weight * prediction_loss;
  return options.normalize ? normalized(std::move(rewards)) : rewards;
}

std::vector<double> normalized(std::vector<double> rewards) {
  if (rewards.empty()) return rewards;
  const double count = static_cast<double>(rewards.size());
  const double mean = std::accumulate(rewards.begin(), rewards.end(), 0.0) / count;
  double variance = 0;
  for (const double reward : rewards)
    variance += (reward - mean) * (reward - mean) / count;
  const double deviation = std::sqrt(variance);
  for (double& reward : rewards)
    reward = deviation > 0 ? (reward - mean) / deviation : 0;
  return rewards;
}

}  // namespace nbs::training
