// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nbs/base/random.h"
#include "nbs/predictor.h"
#include "nbs/training/buffer.h"
#include "nbs/training/labeled_views.h"
#include "nbs/training/pseudo_labels.h"
#include "nbs/training/settings.h"

namespace nbs::training {

/// How often a student is trained in a run. `share`: as below.
std::int64_t planned_student_steps(const Settings& settings, double share = 1);

/// How often a predictor is trained in a run: once a step of each iteration in which it is due, from the first with
/// full profiles on if it learns from profiles. `share`: of these that it takes part in (evaluation.fold_steps for a
/// fold).
std::int64_t planned_steps(const Settings& settings, bool from_profiles, double share = 1);

/// Trains a predictor on some of the labeled views: on their profiles in the buffer (Algorithm 1), or, if it reads
/// none, on the images themselves. It has no state of its own. Everything that it is given by reference must outlive
/// it.
class PredictorTrainer {
 public:
  /// `taught`: the labeled views that it learns from, in order; the masks of others are never looked at. `pseudo`: what
  /// a student learns from besides, or null. Throws nbs::Error if there is nothing that the predictor could learn from,
  /// or if it cannot read what it saves.
  PredictorTrainer(Predictor& predictor, std::vector<std::int64_t> taught, const LabeledViews& labeled,
                   const ProfileBuffer& profiles, const Settings& settings, Random& random,
                   const PseudoLabels* pseudo = nullptr);

  /// The mean of l_pred (Eq. 2) over the steps of this iteration; nothing while there is no profile to learn from, or
  /// if the predictor does not learn. Throws Diverged if l_pred is not finite.
  std::optional<double> train(std::int64_t iteration);

  /// Model::prior_log_odds of a predictor that is taught these images.
  double prior_log_odds() const;

 private:
  std::vector<const BufferedProfile*> taught_profiles() const;

  Predictor& predictor_;
  std::vector<std::int64_t> taught_;
  const LabeledViews& labeled_;
  const ProfileBuffer& profiles_;
  const Settings& settings_;
  Random& random_;
  const PseudoLabels* pseudo_;  // null if it learns from true masks alone
  double alpha_;                // of Eq. 2
};

}  // namespace nbs::training
