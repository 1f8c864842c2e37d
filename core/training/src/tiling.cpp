// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/tiling.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "nbs/error.h"

namespace nbs::training {

namespace {

// Starts of tiles along one axis: offset, offset + step, … with the ends covered by tiles moved inwards.
std::vector<std::int64_t> starts(std::int64_t size, std::int64_t patch, std::int64_t step, std::int64_t offset) {
  std::vector<std::int64_t> result;
  if (offset > 0) result.push_back(0);
  for (std::int64_t at = offset; at + patch <= size; at += step)
    result.push_back(at);
  if (result.empty() || result.back() + patch < size) result.push_back(size - patch);
  return result;
}

}  // namespace

Tiling::Tiling(std::int64_t image_size, std::int64_t patch_size, std::int64_t step, std::int64_t offset,
               config::TilePattern pattern)
    : image_size_(image_size), patch_size_(patch_size) {
  if (step == 0) step = patch_size;
  if (patch_size > image_size) {
    throw Error(
        fmt::format("the patch ({0} x {0}) is larger than the image ({1} x {1}); lower profile.patch_size or "
                    "raise data.image_size",
                    patch_size, image_size));
  }
  if (step > patch_size) {
    throw Error(
        fmt::format("profile.tile_step is {} but must be at most profile.patch_size ({}), or pixels between "
                    "the tiles would have no loss",
                    step, patch_size));
  }
  if (offset >= step) {
    throw Error(
        fmt::format("profile.tile_offset is {} but must be below the distance between tiles ({})", offset, step));
  }
  const auto along = starts(image_size, patch_size, step, offset);
  auto covered = torch::zeros({image_size, image_size});
  const auto below = [&](std::int64_t y, std::int64_t x) {
    return covered.slice(0, y, y + patch_size).slice(1, x, x + patch_size);
  };
  const auto add = [&](std::int64_t y, std::int64_t x) {
    tiles_.emplace_back(y, x);
    below(y, x).add_(1);
  };
  const auto on_the_board = [&](std::size_t row, std::size_t column) {
    return pattern == config::TilePattern::all || (row + column) % 2 == 0;
  };
  const auto each = [&](bool chosen, const auto& visit) {
    for (std::size_t row = 0; row < along.size(); ++row) {
      for (std::size_t column = 0; column < along.size(); ++column)
        if (on_the_board(row, column) == chosen) visit(along[row], along[column]);
    }
  };
  each(true, add);
  // Where tiles end at the border, a corner can be left over.
  each(false, [&](std::int64_t y, std::int64_t x) {
    if (below(y, x).min().item<float>() == 0) add(y, x);
  });
  for (std::int64_t i = 0; i < tile_count(); ++i)
    all_.push_back(i);
  disjoint_ = covered.max().item<float>() == 1.0F;
  weight_ = covered.reciprocal();
}

std::vector<std::int64_t> Tiling::tiles_touching(std::int64_t y, std::int64_t x, std::int64_t height,
                                                 std::int64_t width) const {
  std::vector<std::int64_t> touching;
  for (std::int64_t i = 0; i < tile_count(); ++i) {
    const auto [ty, tx] = tiles_[i];
    if (ty < y + height && ty + patch_size_ > y && tx < x + width && tx + patch_size_ > x) touching.push_back(i);
  }
  return touching;
}

torch::Tensor Tiling::gather(const torch::Tensor& image, const std::vector<std::int64_t>& tiles) const {
  const std::int64_t p = patch_size_;
  auto patches = torch::empty({static_cast<std::int64_t>(tiles.size()), 3, p, p});
  const auto source = image.contiguous();
  const float* from = source.data_ptr<float>();
  float* to = patches.data_ptr<float>();
  for (const auto tile : tiles) {
    const auto [ty, tx] = tiles_[tile];
    for (std::int64_t c = 0; c < 3; ++c) {
      for (std::int64_t row = 0; row < p; ++row) {
        std::memcpy(to, from + (c * image_size_ + ty + row) * image_size_ + tx, p * sizeof(float));
        to += p;
      }
    }
  }
  return patches;
}

torch::Tensor Tiling::gather(const torch::Tensor& image) const {
  return gather(image, all_);
}

void Tiling::scatter(const torch::Tensor& losses, const std::vector<std::int64_t>& tiles, torch::Tensor& map) const {
  const std::int64_t p = patch_size_;
  const auto source = losses.contiguous();
  const float* from = source.data_ptr<float>();
  float* to = map.data_ptr<float>();
  for (const auto tile : tiles) {
    const auto [ty, tx] = tiles_[tile];
    for (std::int64_t row = 0; row < p; ++row) {
      std::memcpy(to + (ty + row) * image_size_ + tx, from, p * sizeof(float));
      from += p;
    }
  }
}

torch::Tensor Tiling::assemble(const torch::Tensor& losses) const {
  if (disjoint_) {
    auto map = torch::empty({image_size_, image_size_});
    scatter(losses, all_, map);
    return map;
  }
  auto map = torch::zeros({image_size_, image_size_});
  const std::int64_t p = patch_size_;
  const auto source = losses.contiguous();
  const float* from = source.data_ptr<float>();
  for (const auto& [y, x] : tiles_) {
    float* to = map.data_ptr<float>() + y * image_size_ + x;
    for (std::int64_t row = 0; row < p; ++row, to += image_size_, from += p) {
      for (std::int64_t column = 0; column < p; ++column)
        to[column] += from[column];
    }
  }
  return map.mul_(weight_);
}

}  // namespace nbs::training
