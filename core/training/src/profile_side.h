// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "nbs/training/autoencoder_trainer.h"
#include "nbs/training/profile_recorder.h"
#include "nbs/training/sampler_trainer.h"
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
  CurrentLosses losses;
  TrainingScene labeled_scene;
  TrainingScene scene;
  AutoencoderTrainer autoencoder;
  SamplerTrainer sampler;
  ProfileRecorder recorder;
  IterationRollouts rollouts;  // of this iteration

  /// `reference_images`: see ProfileRecorder.
  ProfileSide(const TrainingImages& images, const Components& components, const Settings& settings,
              const ImageRange& range, std::vector<std::int64_t> reference_images, Random& random)
      : tiling(images.size(), settings.profile.patch_size, settings.profile.tile_step, settings.profile.tile_offset),
        view_tiling(images.size(), settings.profile.patch_size, 0, 0),
        losses(images, view_tiling, *components.autoencoder),
        labeled_scene(images, losses, settings.profile.patch_size, 0, images.labeled),
        scene(images, losses, settings.profile.patch_size, range.first, range.count),
        autoencoder(*components.autoencoder, images, settings.train, settings.augment, random),
        sampler(*components.sampler, images, settings, labeled_scene, scene),
        recorder(images, *components.autoencoder, tiling, settings.profile, std::move(reference_images)) {}

  void reset() {
    recorder.begin_cycle();
    autoencoder.reset();
    losses.invalidate();
  }
};

}  // namespace nbs::training
