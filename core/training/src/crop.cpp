// SPDX-License-Identifier: Apache-2.0
#include "crop.h"

#include <algorithm>

#include "nbs/training/batches.h"

namespace nbs::training {

namespace {

std::int64_t side_of(std::int64_t size, std::int64_t crop) {
  return crop == 0 ? size : std::min(crop, size);
}

// The first row (or column) of a window that shows the one at `shown` of `length`.
std::int64_t draw_start(std::int64_t shown, std::int64_t length, std::int64_t side, Random& random) {
  const auto first = std::max<std::int64_t>(0, shown - side + 1);
  const auto last = std::min(shown, std::max<std::int64_t>(0, length - side));
  return first + random.below(last - first + 1);
}

}  // namespace

Window draw_window(std::int64_t size, data::PixelSize shown, std::int64_t crop, Random& random) {
  const auto side = side_of(size, crop);
  const auto y = random.below(std::max<std::int64_t>(0, shown.height - side) + 1);
  const auto x = random.below(std::max<std::int64_t>(0, shown.width - side) + 1);
  return {y, x, side};
}

Window draw_anomalous_window(std::int64_t size, const torch::Tensor& mask, std::int64_t crop, Random& random) {
  const auto side = side_of(size, crop);
  const auto anomalous = mask.flatten().nonzero();
  const auto pixel = anomalous[random.below(anomalous.size(0))].item<std::int64_t>();
  const auto y = draw_start(pixel / mask.size(1), mask.size(0), side, random);
  const auto x = draw_start(pixel % mask.size(1), mask.size(1), side, random);
  return {y, x, side};
}

Crop::Crop(std::int64_t size, const Window& window, const data::AugmentOptions& augment, Random& random)
    : window_(window) {
  if (data::warps(augment))
    warp_.emplace(size, window.y, window.x, window.side, augment, [&random] { return random.uniform(); });
}

torch::Tensor Crop::of(const torch::Tensor& planes) const {
  if (!warp_) return dihedral(cut(planes), symmetry_);
  const auto from = planes.contiguous();
  auto warped = torch::empty({planes.size(0), window_.side, window_.side});
  for (std::int64_t c = 0; c < planes.size(0); ++c)
    warp_->apply(from[c].data_ptr<float>(), warped[c].data_ptr<float>());
  return dihedral(warped, symmetry_);
}

torch::Tensor Crop::of_mask(const torch::Tensor& mask) const {
  if (!warp_) return dihedral(cut(mask), symmetry_);
  auto warped = torch::empty({window_.side, window_.side});
  warp_->apply_nearest(mask.contiguous().data_ptr<float>(), warped.data_ptr<float>());
  return dihedral(warped, symmetry_);
}

torch::Tensor Crop::cut(const torch::Tensor& planes) const {
  return planes.slice(-2, window_.y, window_.y + window_.side).slice(-1, window_.x, window_.x + window_.side);
}

}  // namespace nbs::training
