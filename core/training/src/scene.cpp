// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/scene.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "nbs/error.h"

namespace nbs::training {

CurrentLosses::CurrentLosses(const TrainingImages& images, const Tiling& tiling, Autoencoder& autoencoder,
                             std::mutex& autoencoder_mutex)
    : images_(images),
      tiling_(tiling),
      autoencoder_(autoencoder),
      concurrent_(autoencoder.concurrent_losses()),
      autoencoder_mutex_(autoencoder_mutex) {}

void CurrentLosses::invalidate() {
  for (auto& [image, entry] : entries_)
    spare_.push_back(std::move(entry));
  entries_.clear();
}

// The one of an image, made if there is none: then nothing of it is up to date, and it is 0.
CurrentLosses::Entry& CurrentLosses::entry(std::int64_t image) {
  const auto [at, is_new] = entries_.try_emplace(image);
  auto& entry = at->second;
  if (!is_new) return entry;
  if (!spare_.empty()) {
    entry = std::move(spare_.back());
    spare_.pop_back();
    entry.map.zero_();
  } else {
    entry.map = torch::zeros({images_.size(), images_.size()});
  }
  entry.current.assign(static_cast<std::size_t>(tiling_.tile_count()), 0);
  return entry;
}

const torch::Tensor& CurrentLosses::window(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                                           std::int64_t width) {
  auto& seen = entry(image);
  std::vector<std::int64_t> stale;
  for (const auto tile : tiling_.tiles_touching(y, x, height, width)) {
    if (!seen.current[static_cast<std::size_t>(tile)]) stale.push_back(tile);
  }
  if (stale.empty()) return seen.map;
  const auto losses_of = [&](const torch::Tensor& patches) {
    std::unique_lock<std::mutex> lock(autoencoder_mutex_, std::defer_lock);
    if (!concurrent_) lock.lock();
    return autoencoder_.pixel_loss(patches);
  };
  if (!tiling_.disjoint()) {
    // Overlapping tiles are averaged, so a map is made whole or not at all.
    seen.map.copy_(tiling_.assemble(losses_of(tiling_.gather(images_.image(image)))));
    std::fill(seen.current.begin(), seen.current.end(), 1);
    tiles_evaluated_ += tiling_.tile_count();
    return seen.map;
  }
  tiling_.scatter(losses_of(tiling_.gather(images_.image(image), stale)), stale, seen.map);
  for (const auto tile : stale)
    seen.current[static_cast<std::size_t>(tile)] = 1;
  tiles_evaluated_ += static_cast<std::int64_t>(stale.size());
  return seen.map;
}

void CurrentLosses::set(std::int64_t image, const torch::Tensor& map) {
  auto& own = entry(image);
  own.map.copy_(map);
  std::fill(own.current.begin(), own.current.end(), 1);
}

void CurrentLosses::save(StateWriter& writer, const std::string& name) const {
  std::vector<std::int64_t> images;
  for (const auto& [image, entry] : entries_) {
    std::vector<std::int64_t> current;
    for (std::size_t tile = 0; tile < entry.current.size(); ++tile) {
      if (entry.current[tile]) current.push_back(static_cast<std::int64_t>(tile));
    }
    images.push_back(image);
    writer.integers(fmt::format("{}.image{}.tiles", name, image), current);
    writer.tensor(fmt::format("{}.image{}.map", name, image), entry.map);
  }
  writer.integers(name + ".images", images);
}

void CurrentLosses::load(const StateReader& reader, const std::string& name) {
  invalidate();
  const auto size = images_.size();
  for (const auto image : reader.integers(name + ".images")) {
    reader.require(image >= 0 && image < images_.count(),
                   fmt::format("there is a loss map of image {}, but there are {} images", image, images_.count()));
    auto& own = entry(image);
    own.map.copy_(reader.tensor(fmt::format("{}.image{}.map", name, image), {size, size}, torch::kFloat32));
    for (const auto tile : reader.integers(fmt::format("{}.image{}.tiles", name, image))) {
      reader.require(tile >= 0 && tile < tiling_.tile_count(),
                     fmt::format("there is a tile {} of image {}, which has {}", tile, image, tiling_.tile_count()));
      own.current[static_cast<std::size_t>(tile)] = 1;
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
  return images_.image(global(image));
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
