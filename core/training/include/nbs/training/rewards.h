// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/config/sections.h"
#include "nbs/sampler.h"

namespace nbs::training {

/// beta of iteration j (Eq. 3): max(0, 1 - j / L), or as `schedule` says.
double beta(const config::RewardOptions& options, std::int64_t iteration);

/// +1 for every patch without anomalous pixels, -1 for one with some, 0 for a patch of an unlabeled image (which has
/// no row in `masks`). masks: [L, S, S] of the images 0 … L-1.
std::vector<double> clone_signs(const std::vector<Patch>& patches, const torch::Tensor& masks, std::int64_t patch_size);

/// The share of every patch that no earlier patch of the episode covered, in [0, 1].
std::vector<double> new_coverage(const std::vector<Patch>& patches, std::int64_t image_size, std::int64_t patch_size);

/// beta (R_clone + R_cover), step by step: the first part of Eq. 3.
std::vector<double> cloning_rewards(const config::RewardOptions& options, double beta, const std::vector<double>& signs,
                                    const std::vector<double>& coverage);

/// (1 - beta) R_pred: 0 but at the last step (Eq. 1), the second part of Eq. 3.
std::vector<double> prediction_rewards(const config::RewardOptions& options, double beta, std::int64_t steps,
                                       double prediction_loss);

/// Rewards to mean 0 and deviation 1 (all 0 if they are equal): the ablation that the paper warns of (3.2).
std::vector<double> normalized(std::vector<double> rewards);

}  // namespace nbs::training
