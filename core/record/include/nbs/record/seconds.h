// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

namespace nbs::record {

/// Seconds that a run took, by stage of Algorithm 1; `total` also holds loading, predicting and scoring.
struct Seconds {
  std::optional<double> rollout;
  std::optional<double> autoencoder;
  std::optional<double> evaluate;  ///< loss maps
  std::optional<double> predictor;
  std::optional<double> cross_fit;  ///< the folds' predictors; none without cross-fitting
  std::optional<double> policy;
  std::optional<double> training;  ///< all of Algorithm 1
  std::optional<double> total;
};

struct Stage {
  const char* name;
  std::optional<double> Seconds::*seconds;
  bool always = true;  ///< else it stands in a result only if there was such a stage
};

/// The stages with their names, in the order of the struct.
const std::vector<Stage>& stages();

}  // namespace nbs::record
