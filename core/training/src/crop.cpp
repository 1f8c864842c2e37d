// SPDX-License-Identifier: Apache-2.0
#include "crop.h"

#include <algorithm>
#include <vector>

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

// Transposed, then mirrored.
void write_turned(const float* from, std::int64_t row, std::int64_t side, std::int64_t symmetry, float divisor,
                  float* to) {
  const bool transposed = (symmetry & 4) != 0;
  std::int64_t down = transposed ? 1 : row;  // in `from`, from a pixel of the result to the one below
  std::int64_t right = transposed ? row : 1;
  const std::int64_t last = side - 1;
  if ((symmetry & 2) != 0) {
    from += last * down;
    down = -down;
  }
  if ((symmetry & 1) != 0) {
    from += last * right;
    right = -right;
  }
  for (std::int64_t y = 0; y < side; ++y, from += down, to += side) {
    if (right == 1) {  // the compiler makes vectors of it
      for (std::int64_t x = 0; x < side; ++x)
        to[x] = from[x] / divisor;
    } else {
      for (std::int64_t x = 0; x < side; ++x)
        to[x] = from[x * right] / divisor;
    }
  }
}

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
  const auto from = planes.contiguous();
  auto cut = torch::empty({planes.size(0), window_.side, window_.side});
  for (std::int64_t c = 0; c < planes.size(0); ++c)
    write(from[c], 1, cut[c].data_ptr<float>());
  return cut;
}

torch::Tensor Crop::of_mask(const torch::Tensor& mask) const {
  const auto from = mask.contiguous();
  auto cut = torch::empty({window_.side, window_.side});
  if (!warp_) {
    write(from, 1, cut.data_ptr<float>());
    return cut;
  }
  auto warped = torch::empty({window_.side, window_.side});
  warp_->apply_nearest(from.data_ptr<float>(), warped.data_ptr<float>());
  write_turned(warped.data_ptr<float>(), window_.side, window_.side, symmetry_, 1, cut.data_ptr<float>());
  return cut;
}

void Crop::write(const torch::Tensor& plane, float divisor, float* to) const {
  const auto* const from = plane.data_ptr<float>();
  const auto side = window_.side;
  if (!warp_) {
    const auto row = plane.size(1);
    return write_turned(from + window_.y * row + window_.x, row, side, symmetry_, divisor, to);
  }
  std::vector<float> warped(static_cast<std::size_t>(side * side));
  warp_->apply(from, warped.data());
  write_turned(warped.data(), side, side, symmetry_, divisor, to);
}

}  // namespace nbs::training
