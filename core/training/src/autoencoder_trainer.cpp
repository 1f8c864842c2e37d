// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/autoencoder_trainer.h"

#include <utility>

#include <ATen/Parallel.h>

#include "nbs/training/batches.h"

namespace nbs::training {

AutoencoderTrainer::AutoencoderTrainer(Autoencoder& autoencoder, const TrainingImages& images,
                                       const config::TrainOptions& train, const data::AugmentOptions& augment,
                                       Random& random)
    : autoencoder_(autoencoder), images_(images), train_(train), augment_(augment), random_(random) {}

void AutoencoderTrainer::reset() {
  autoencoder_.reset();
  watch_.begin_cycle();
}

// [B, 3, p, p].
torch::Tensor AutoencoderTrainer::pixels_of(const TrainingScene& scene, const std::vector<Patch>& patches) const {
  const std::int64_t p = scene.patch_size();
  auto pixels = torch::empty({static_cast<std::int64_t>(patches.size()), 3, p, p});
  float* const to = pixels.data_ptr<float>();
  at::parallel_for(0, pixels.size(0), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const auto& patch = patches[static_cast<std::size_t>(i)];
      images_.images.copy_window(scene.global(patch.image), patch.y, patch.x, p, to + i * 3 * p * p);
    }
  });
  return pixels;
}

double AutoencoderTrainer::train(const TrainingScene& scene, std::vector<Patch> patches, std::int64_t iteration) {
  if (train_.shuffle) {
    for (std::size_t i = patches.size(); i > 1; --i)
      std::swap(patches[i - 1], patches[static_cast<std::size_t>(random_.below(static_cast<std::int64_t>(i)))]);
  }
  const auto pixels = augment_patches(pixels_of(scene, patches), augment_, random_);
  const auto batches = pixels.split(train_.minibatch);
  double loss = 0;
  for (const auto& batch : batches) {
    const double batch_loss = autoencoder_.train_step(batch);
    require_finite(batch_loss, "the autoencoder's loss", iteration,
                   "a learning rate of the autoencoder that is too high");
    watch_.see_batch(batch_loss);
    loss += batch_loss / static_cast<double>(batches.size());
  }
  if (const auto reason = watch_.see_iteration(iteration, loss, iteration + 1 == train_.iterations))
    throw Diverged(*reason);
  return loss;
}

}  // namespace nbs::training
