// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "nbs/training/autoencoder_trainer.h"
#include "nbs/training/profile_recorder.h"
#include "nbs/training/sampler_trainer.h"
#include "nbs/training/sampling_density.h"
#include "nbs/training/trainer.h"

namespace nbs::training {

/// The images that the autoencoder learns from: a run of the training images.
struct ImageRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// What a predictor that reads profiles needs beside itself. Samplers see losses of a tiling that does not overlap, so
/// that a look stays cheap; profiles have a tiling of their own.
struct Trainer::ProfileSide {
  Tiling tiling;
  Tiling view_tiling;
  std::mutex autoencoder_mutex;
  // A set for each scene: rollouts on both may run at the same time, and what one of them sees must not depend on how
  // far the other is.
  CurrentLosses labeled_losses;
  CurrentLosses losses;
  TrainingScene labeled_scene;
  TrainingScene scene;
  AutoencoderTrainer autoencoder;
  SamplerTrainer sampler;
  ProfileRecorder recorder;
  IterationRollouts rollouts;  // of this iteration
  SamplingDensity density;

  /// `reference_images`: see ProfileRecorder.
  ProfileSide(const TrainingImages& images, const Components& components, const Settings& settings,
              const ImageRange& range, std::vector<std::int64_t> reference_images, Random& random)
      : tiling(images.size(), settings.profile.patch_size, settings.profile.tile_step, settings.profile.tile_offset,
               settings.profile.tile_pattern),
        view_tiling(images.size(), settings.profile.patch_size, 0, 0),
        labeled_losses(images, view_tiling, *components.autoencoder, autoencoder_mutex),
        losses(images, view_tiling, *components.autoencoder, autoencoder_mutex),
        labeled_scene(images, labeled_losses, settings.profile.patch_size, 0, images.labeled),
        scene(images, losses, settings.profile.patch_size, range.first, range.count),
        autoencoder(*components.autoencoder, images, settings.train, settings.augment, random),
        sampler(*components.sampler, images, settings, labeled_scene, scene),
        recorder(images, *components.autoencoder, tiling, settings.profile, std::move(reference_images)),
        density(images.size(), settings.profile.patch_size, images.labeled) {}

  void reset() {
    recorder.begin_cycle();
    autoencoder.reset();
    sampler.begin_cycle();
    invalidate_losses();
  }
  /// The autoencoder has changed.
  void invalidate_losses() {
    labeled_losses.invalidate();
    losses.invalidate();
  }
};

}  // namespace nbs::training
