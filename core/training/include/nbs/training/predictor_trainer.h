// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nbs/base/random.h"
#include "nbs/predictor.h"
#include "nbs/training/buffer.h"
#include "nbs/training/settings.h"
#include "nbs/training/training_images.h"

namespace nbs::training {

/// Trains the predictor on the labeled images: on profiles from a buffer (Algorithm 1), or, if it reads none, on the
/// images themselves. Everything that it is given by reference must outlive it.
class PredictorTrainer {
 public:
  /// Throws nbs::Error if there is nothing that the predictor could learn from.
  PredictorTrainer(Predictor& predictor, const TrainingImages& images, const Settings& settings, Random& random);

  /// Appends profiles to the buffer.
  void add(std::vector<BufferedProfile> profiles);
  /// The mean of l_pred (Eq. 2) over the steps of this iteration; nothing while there is no profile to learn from, if
  /// it is not this iteration's turn (buffer.every), or if the predictor does not learn. Throws Diverged if l_pred is
  /// not finite.
  std::optional<double> train(std::int64_t iteration);

  /// The buffer; the predictor is saved by whoever owns it.
  void save(StateWriter& writer) const { buffer_.save(writer); }
  void load(const StateReader& reader) {
    buffer_.load(reader, images_.labeled, settings_.profile.length, images_.size());
  }

 private:
  Predictor& predictor_;
  const TrainingImages& images_;
  const Settings& settings_;
  Random& random_;
  double alpha_;  // of Eq. 2
  ProfileBuffer buffer_;
};

}  // namespace nbs::training
