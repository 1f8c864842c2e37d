// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/sampler.h"
#include "nbs/training/state_io.h"
#include "nbs/training/tiling.h"
#include "nbs/training/training_images.h"

namespace nbs::training {

/// Current loss maps of all images, evaluated by tiles when they are first looked at after a change of the autoencoder.
/// There are maps only of images that were looked at since, so memory does not grow with the number of images.
class CurrentLosses {
 public:
  /// `autoencoder_mutex`: held while the autoencoder works, as several of these may be asked at the same time, unless
  /// it can be asked by several threads itself. Each of these by one thread only.
  CurrentLosses(const TrainingImages& images, const Tiling& tiling, Autoencoder& autoencoder,
                std::mutex& autoencoder_mutex);

  /// The autoencoder's parameters have changed: all maps are out of date.
  void invalidate();
  /// The map [S, S] of an image with the window up to date.
  const torch::Tensor& window(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                              std::int64_t width);
  /// A whole map that was evaluated elsewhere with the current parameters.
  void set(std::int64_t image, const torch::Tensor& map);
  /// The maps as far as they are up to date: a sampler may look at them again before the autoencoder changes.
  void save(StateWriter& writer, const std::string& name) const;
  void load(const StateReader& reader, const std::string& name);
  /// How images are tiled here.
  const Tiling& tiling() const { return tiling_; }
  /// Tiles evaluated since construction, for the benchmarks.
  std::int64_t tiles_evaluated() const { return tiles_evaluated_; }

 private:
  struct Entry {
    torch::Tensor map;          // [S, S]
    std::vector<char> current;  // of each tile, whether it was evaluated
  };
  Entry& entry(std::int64_t image);

  const TrainingImages& images_;
  const Tiling& tiling_;
  Autoencoder& autoencoder_;
  bool concurrent_;
  std::mutex& autoencoder_mutex_;
  std::int64_t tiles_evaluated_ = 0;
  std::map<std::int64_t, Entry> entries_;  // of images that were looked at since the last change
  std::vector<Entry> spare_;               // of earlier ones, used again: no more than a change ever left
};

/// A contiguous run of the training images as a sampler sees it.
class TrainingScene : public Scene {
 public:
  /// Images first … first + count - 1 of `images`, which must all outlive the scene, as must `losses`.
  TrainingScene(const TrainingImages& images, CurrentLosses& losses, std::int64_t patch_size, std::int64_t first,
                std::int64_t count);

  std::int64_t image_count() const override { return count_; }
  std::int64_t image_size() const override { return images_.size(); }
  std::int64_t patch_size() const override { return patch_size_; }
  bool labeled(std::int64_t image) const override;
  std::string image_id(std::int64_t image) const override;
  torch::Tensor image(std::int64_t image) const override;
  torch::Tensor mask(std::int64_t image) const override;
  torch::Tensor loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                     std::int64_t width) override;
  /// The index in the training images of an image of the scene. Throws nbs::Error if there is none.
  std::int64_t global(std::int64_t image) const;

 private:
  const TrainingImages& images_;
  CurrentLosses& losses_;
  std::int64_t patch_size_;
  std::int64_t first_;
  std::int64_t count_;
};

}  // namespace nbs::training
