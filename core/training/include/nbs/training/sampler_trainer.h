// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "nbs/record/metric.h"
#include "nbs/sampler.h"
#include "nbs/training/scene.h"
#include "nbs/training/settings.h"

namespace nbs::training {

/// The rollouts of one iteration.
struct IterationRollouts {
  std::optional<Rollout> cloning;  ///< on labeled images (N_c patches), if the sampler learns and there are any
  Rollout training;                ///< on the images that the autoencoder learns from (N patches)
};

/// Rolls the sampler out and trains it with the rewards of Eq. 1 and 3. Everything that it is given by reference must
/// outlive it.
class SamplerTrainer {
 public:
  /// `labeled`: the labeled images; `all`: those that the autoencoder learns from.
  SamplerTrainer(Sampler& sampler, const TrainingImages& images, const Settings& settings, TrainingScene& labeled,
                 TrainingScene& all);

  /// The autoencoder has new parameters.
  void begin_cycle() { sampler_.begin_cycle(); }
  /// The rollouts of an iteration, under one policy.
  IterationRollouts roll_out();
  /// The rollout by which the sampler is judged on labeled images, which begin the images that it names: the one on
  /// labeled images, or the only one. Null if that one never sees a labeled image.
  const Rollout* on_labeled(const IterationRollouts& rollouts) const;
  /// Judges the rollouts and, unless `warming_up` (the first M iterations after a re-initialization), takes one
  /// learning step from their rewards. `prediction_loss`: l_pred of this iteration, if the predictor has learned.
  /// Adds what it measures to `metrics`, which names the iteration. Throws Diverged if a number of the step is not
  /// finite.
  void train(const IterationRollouts& rollouts, std::optional<double> prediction_loss, bool warming_up,
             record::IterationMetrics& metrics);

 private:
  Sampler& sampler_;
  const TrainingImages& images_;
  const Settings& settings_;
  TrainingScene& labeled_;
  TrainingScene& all_;
};

}  // namespace nbs::training
