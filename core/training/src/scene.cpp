// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/scene.h"

#include <fmt/format.h>

#include "nbs/error.h"

namespace nbs::training {

CurrentLosses::CurrentLosses(const TrainingImages& images, const Tiling& tiling, Autoencoder& autoencoder,
                             std::mutex& autoencoder_mutex)
    : images_(images),
      tiling_(tiling),
      autoencoder_(autoencoder),
      autoencoder_mutex_(autoencoder_mutex),
      entries_(static_cast<std::size_t>(images.count())) {}

const torch::Tensor& CurrentLosses::window(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                                           std::int64_t width) {
  auto& entry = entries_[image];
  if (!entry.map.defined()) {
    entry.map = torch::zeros({images_.size(), images_.size()});
    entry.tile_version.assign(tiling_.tile_count(), 0);
  }
  std::vector<std::int64_t> stale;
  for (const auto tile : tiling_.tiles_touching(y, x, height, width)) {
    if (entry.tile_version[tile] != version_) stale.push_back(tile);
  }
  if (stale.empty()) return entry.map;
  const auto losses_of = [&](const torch::Tensor& patches) {
    const std::lock_guard<std::mutex> lock(autoencoder_mutex_);
    return autoencoder_.pixel_loss(patches);
  };
  if (!tiling_.disjoint()) {
    // Overlapping tiles are averaged, so a map is made whole or not at all.
    entry.map.copy_(tiling_.assemble(losses_of(tiling_.gather(images_.images[image]))));
    entry.tile_version.assign(tiling_.tile_count(), version_);
    tiles_evaluated_ += tiling_.tile_count();
    return entry.map;
  }
  tiling_.scatter(losses_of(tiling_.gather(images_.images[image], stale)), stale, entry.map);
  for (const auto tile : stale)
    entry.tile_version[tile] = version_;
  tiles_evaluated_ += static_cast<std::int64_t>(stale.size());
  return entry.map;
}

void CurrentLosses::set(std::int64_t image, const torch::Tensor& map) {
  auto& entry = entries_[image];
  if (!entry.map.defined()) entry.map = torch::empty({images_.size(), images_.size()});
  entry.map.copy_(map);
  entry.tile_version.assign(tiling_.tile_count(), version_);
}

void CurrentLosses::save(StateWriter& writer, const std::string& name) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto& entry = entries_[i];
    std::vector<std::int64_t> current;
    for (std::size_t tile = 0; tile < entry.tile_version.size(); ++tile) {
      if (entry.tile_version[tile] == version_) current.push_back(static_cast<std::int64_t>(tile));
    }
    if (current.empty()) continue;
    writer.integers(fmt::format("{}.image{}.tiles", name, i), current);
    writer.tensor(fmt::format("{}.image{}.map", name, i), entry.map);
  }
}

void CurrentLosses::load(const StateReader& reader, const std::string& name) {
  invalidate();
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const auto tiles = fmt::format("{}.image{}.tiles", name, i);
    if (!reader.has(tiles)) continue;
    auto& entry = entries_[i];
    const auto size = images_.size();
    entry.map = reader.tensor(fmt::format("{}.image{}.map", name, i), {size, size}, torch::kFloat32).clone();
    entry.tile_version.assign(static_cast<std::size_t>(tiling_.tile_count()), 0);
    for (const auto tile : reader.integers(tiles)) {
      reader.require(tile >= 0 && tile < tiling_.tile_count(),
                     fmt::format("there is a tile {} of image {}, which has {}", tile, i, tiling_.tile_count()));
      entry.tile_version[static_cast<std::size_t>(tile)] = version_;
    }
  }
}

TrainingScene::TrainingScene(const TrainingImages& images, CurrentLosses& losses, std::int64_t patch_size,
                             std::int64_t first, std::int64_t count)
    : images_(images), losses_(losses), patch_size_(patch_size), first_(first), count_(count) {}

std::int64_t TrainingScene::global(std::int64_t image) const {
  if (image < 0 || image >= count_) {
    throw Error(fmt::format("image {} was asked for, but the scene has images 0 to {}", image, count_ - 1));
  }
  return first_ + image;
}

bool TrainingScene::labeled(std::int64_t image) const {
  return global(image) < images_.labeled;
}

std::string TrainingScene::image_id(std::int64_t image) const {
  const auto index = global(image);
  return images_.ids.empty() ? std::to_string(index) : images_.ids[static_cast<std::size_t>(index)];
}

torch::Tensor TrainingScene::image(std::int64_t image) const {
  return images_.images[global(image)];
}

torch::Tensor TrainingScene::mask(std::int64_t image) const {
  if (!labeled(image)) {
    throw Error(
        fmt::format("the mask of image {} was asked for, but that image is not labeled; ask labeled() first", image));
  }
  return images_.masks[global(image)];
}

torch::Tensor TrainingScene::loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                                  std::int64_t width) {
  return losses_.window(global(image), y, x, height, width);
}

}  // namespace nbs::training
