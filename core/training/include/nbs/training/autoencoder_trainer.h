// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/base/random.h"
#include "nbs/config/sections.h"
#include "nbs/data/options.h"
#include "nbs/training/divergence.h"
#include "nbs/training/scene.h"

namespace nbs::training {

/// Trains the autoencoder on the patches of a rollout (Algorithm 1: one optimizer step for each minibatch of the
/// augmented patches). Everything that it is given by reference must outlive it.
class AutoencoderTrainer {
 public:
  AutoencoderTrainer(Autoencoder& autoencoder, const TrainingImages& images, const config::TrainOptions& train,
                     const data::AugmentOptions& augment, Random& random);

  /// The autoencoder starts anew.
  void reset();
  /// One optimizer step for each minibatch of `patches`, which are those of `scene`. Returns the mean loss of the
  /// minibatches. Throws Diverged if a loss is not finite, or has lost all meaning for too long (LossWatch).
  double train(const TrainingScene& scene, std::vector<Patch> patches, std::int64_t iteration);
  /// Whether the newest loss was out of the range of a healthy run: its parameters are not worth remembering.
  bool out_of_range() const { return watch_.out_of_range(); }

  /// What is known of the losses; the autoencoder is saved by whoever owns it.
  void save(StateWriter& writer) const { watch_.save(writer); }
  void load(const StateReader& reader) { watch_.load(reader); }

 private:
  torch::Tensor pixels_of(const TrainingScene& scene, const std::vector<Patch>& patches) const;

  Autoencoder& autoencoder_;
  const TrainingImages& images_;
  config::TrainOptions train_;
  data::AugmentOptions augment_;
  Random& random_;
  LossWatch watch_;
};

}  // namespace nbs::training
