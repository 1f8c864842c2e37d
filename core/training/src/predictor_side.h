// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "nbs/training/buffer.h"
#include "nbs/training/cross_fit.h"
#include "nbs/training/predictor_trainer.h"
#include "nbs/training/stopwatch.h"
#include "nbs/training/trainer.h"

namespace nbs::training {

inline std::vector<std::int64_t> all_labeled(const TrainingImages& images) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(images.labeled));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// The predictors of a run and the profiles that they learn from.
struct Trainer::PredictorSide {
  LabeledViews labeled;
  ProfileBuffer buffer;
  PredictorTrainer predictor;
  std::unique_ptr<CrossFit> folds;  // null without cross-fitting

  /// `pseudo`: what students learn from besides, that of the run's own first; empty for those that are none.
  PredictorSide(const TrainingImages& images, Predictor& own, const std::vector<std::shared_ptr<Predictor>>& of_folds,
                const Settings& settings, Random& random, std::uint64_t seed,
                const std::vector<PseudoLabels>& pseudo = {})
      : labeled(images),
        // At least the profiles of one recording: of an image that is many views all must be taught.
        buffer(std::max(settings.buffer.capacity, images.labeled)),
        predictor(own, all_labeled(images), labeled, buffer, settings, random,
                  pseudo.empty() ? nullptr : &pseudo.front()) {
    if (!own.is_trainable() || of_folds.empty()) return;
    std::vector<const PseudoLabels*> of_each;
    for (std::size_t k = 1; k < pseudo.size(); ++k)
      of_each.push_back(&pseudo[k]);
    folds = std::make_unique<CrossFit>(of_folds, labeled, buffer, settings, seed, of_each);
  }

  void add(std::vector<BufferedProfile> profiles) {
    for (auto& profile : profiles)
      buffer.push(std::move(profile));
  }
  /// One iteration's steps; returns the run's own predictor's l_pred, if it learned.
  std::optional<double> train(std::int64_t iteration, record::Seconds& seconds) {
    std::optional<double> loss;
    {
      const Stopwatch watch(seconds.predictor);
      loss = predictor.train(iteration);
    }
    if (loss && folds) {
      const Stopwatch watch(seconds.cross_fit);
      folds->train(iteration);
    }
    return loss;
  }
};

}  // namespace nbs::training
