// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/config/sections.h"
#include "nbs/sampler.h"

namespace nbs::training {

/// beta of iteration j (Eq. 3): max(0, 1 - j / L), or as `schedule` says.
double beta(const config::RewardOptions& options, std::int64_t iteration);

/// What behavior cloning says of one patch, before any weight.
struct PatchJudgement {
  /// R_clone. 0 for a patch of an unlabeled image. Otherwise, with CloneReward::any, 1 without anomalous pixels and -1
  /// with some; with CloneReward::share 1 less twice the anomalous share of its pixels.
  double clone = 0;
  /// The share of the patch that no earlier patch of the episode covered, in [0, 1].
  double coverage = 0;
};

/// Judges the patches of episodes.
class Judge {
 public:
  /// `masks`: [L, S, S] of the images 0 … L-1, or undefined; the other images are unlabeled.
  Judge(config::CloneReward clone, const torch::Tensor& masks, std::int64_t image_size, std::int64_t patch_size);

  /// One judgement for each patch.
  std::vector<PatchJudgement> patches(const Rollout& rollout) const;
  /// One for each alternative, as if it had been chosen at its step, after the patches before it.
  std::vector<std::vector<PatchJudgement>> alternatives(const Rollout& rollout) const;

 private:
  double clone_reward(const Patch& patch) const;

  config::CloneReward clone_;
  torch::Tensor masks_;  // contiguous
  std::int64_t image_size_;
  std::int64_t patch_size_;
};

/// beta (R_clone + R_cover), the first part of Eq. 3.
struct CloningRewards {
  std::vector<double> patches;                    ///< step by step
  std::vector<std::vector<double>> alternatives;  ///< for each step, on the same scale
};
CloningRewards cloning_rewards(const config::RewardOptions& options, double beta,
                               const std::vector<PatchJudgement>& patches,
                               const std::vector<std::vector<PatchJudgement>>& alternatives);

/// (1 - beta) R_pred: 0 but at the last step (Eq. 1), the second part of Eq. 3.
std::vector<double> prediction_rewards(const config::RewardOptions& options, double beta, std::int64_t steps,
                                       double prediction_loss);

/// Brings the rewards of an episode to mean 0 and deviation 1 (all to 0 if they are equal): the ablation that the paper
/// warns of (3.2).
class Normalization {
 public:
  explicit Normalization(const std::vector<double>& rewards);
  void apply(std::vector<double>& rewards) const;

 private:
  double mean_ = 0;
  double deviation_ = 0;
};

}  // namespace nbs::training
