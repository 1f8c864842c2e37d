// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nbs/base/random.h"
#include "nbs/predictor.h"
#include "nbs/training/model.h"
#include "nbs/training/predictor_trainer.h"

namespace nbs::training {

/// The labeled images of each of `folds` folds: image i is in fold i mod `folds`. Whose turn it is must not depend on a
/// mask, so anomalous images are not spread on purpose.
std::vector<std::vector<std::int64_t>> fold_images(std::int64_t labeled, std::int64_t folds);

/// Cross-fitting: beside the predictor that learns from all labeled images, one for each fold that learns from all but
/// the fold's. What such a predictor says of its fold's images is what a predictor says of images that it was not
/// taught, and these are the only ones of that kind whose masks may be looked at. A fold without which no labeled image
/// shows an anomaly has no predictor: it would learn that there are none. Everything given by reference must outlive
/// it.
class CrossFit {
 public:
  /// `predictors`: an untrained one for each fold. `seed`: of the run's training. `pseudo`: of each fold that has a
  /// predictor, in their order, if these are students; else empty. Throws nbs::Error as PredictorTrainer does.
  CrossFit(const std::vector<std::shared_ptr<Predictor>>& predictors, const LabeledViews& labeled,
           const ProfileBuffer& profiles, const Settings& settings, std::uint64_t seed,
           const std::vector<const PseudoLabels*>& pseudo = {});

  /// To be called in each iteration in which the predictor learns: each fold's learns in settings.fold_steps of them,
  /// not all in the same. Throws Diverged.
  void train(std::int64_t iteration);

  /// The predictors as they are now. Throws Diverged if one is not finite.
  std::vector<FoldModel> models() const;

  /// Under names that begin with `name`.
  void save(StateWriter& writer, const std::string& name) const;
  void load(const StateReader& reader, const std::string& name);
  /// Reads models that write_folds() wrote, into the predictors too. Throws nbs::Error unless they are of these folds.
  std::vector<FoldModel> load_models(const StateReader& reader, const std::string& name);

 private:
  struct Fold {
    std::int64_t number;
    std::vector<std::int64_t> left_out;
    std::shared_ptr<Predictor> predictor;
    std::unique_ptr<Random> random;  // the trainer refers to it
    PredictorTrainer trainer;
  };

  bool has_turn(const Fold& fold) const;

  double steps_;        // of each fold for each of the predictor's
  std::int64_t folds_;  // with those that have no predictor
  std::int64_t labeled_;
  std::vector<Fold> trained_;
  std::int64_t turns_ = 0;
};

}  // namespace nbs::training
