// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "nbs/config/sections.h"
#include "nbs/tensor.h"

namespace nbs::training {

/// The tiles (p x p patches) whose losses make up the loss map of an S x S image. Every pixel is covered; tiles that
/// would leave the image are moved inwards. Pixels under several tiles get the average.
class Tiling {
 public:
  /// `step` 0 means p. Throws nbs::Error if p > S, step > p or offset >= step. With TilePattern::checkerboard every
  /// other tile is left out, but none without which a pixel would have no loss.
  Tiling(std::int64_t image_size, std::int64_t patch_size, std::int64_t step = 0, std::int64_t offset = 0,
         config::TilePattern pattern = config::TilePattern::all);

  std::int64_t image_size() const { return image_size_; }
  std::int64_t patch_size() const { return patch_size_; }
  std::int64_t tile_count() const { return static_cast<std::int64_t>(tiles_.size()); }
  /// Top left corner (y, x) of a tile.
  const std::pair<std::int64_t, std::int64_t>& tile(std::int64_t index) const { return tiles_[index]; }
  /// Whether no two tiles overlap.
  bool disjoint() const { return disjoint_; }
  /// Indices of the tiles that share pixels with the window.
  std::vector<std::int64_t> tiles_touching(std::int64_t y, std::int64_t x, std::int64_t height,
                                           std::int64_t width) const;

  /// Patches [n, 3, p, p] of an image [3, S, S] at the tiles named.
  torch::Tensor gather(const torch::Tensor& image, const std::vector<std::int64_t>& tiles) const;
  /// Patches [tile_count, 3, p, p] at all tiles.
  torch::Tensor gather(const torch::Tensor& image) const;
  /// The map [S, S] from the losses [tile_count, p, p] of all tiles.
  torch::Tensor assemble(const torch::Tensor& losses) const;
  /// Writes the losses [n, p, p] of some tiles into `map` [S, S]; for disjoint tilings only.
  void scatter(const torch::Tensor& losses, const std::vector<std::int64_t>& tiles, torch::Tensor& map) const;

  /// Whether both have the same tiles.
  bool operator==(const Tiling& other) const {
    return image_size_ == other.image_size_ && patch_size_ == other.patch_size_ && tiles_ == other.tiles_;
  }

 private:
  std::int64_t image_size_;
  std::int64_t patch_size_;
  bool disjoint_ = true;
  std::vector<std::pair<std::int64_t, std::int64_t>> tiles_;
  std::vector<std::int64_t> all_;
  torch::Tensor weight_;  // [S, S]: 1 / number of tiles over the pixel
};

}  // namespace nbs::training
