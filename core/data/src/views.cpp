// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/views.h"

#include <algorithm>
#include <cmath>

namespace nbs::data {

namespace {

constexpr double kPi = 3.14159265358979323846;

PixelSize worked_size(PixelSize stored, const DataOptions& options) {
  const auto size = options.image_size;
  if (options.resize == Resize::tiles) return stored;
  if (options.resize == Resize::square) return {size, size};
  const auto longer = static_cast<double>(std::max(stored.height, stored.width));
  const auto shrunk = [&](std::int64_t side) {
    const auto exact = static_cast<double>(side) * static_cast<double>(size) / longer;
    return std::max<std::int64_t>(1, std::llround(exact));
  };
  return {shrunk(stored.height), shrunk(stored.width)};
}

// From 0 to 1 around 0, over `width` pixels.
double rise(double at, double width) {
  if (at <= -width / 2) return 0;
  if (at >= width / 2) return 1;
  return (1 + std::sin(kPi * at / width)) / 2;
}

}  // namespace

ViewPlan::ViewPlan(PixelSize stored, const DataOptions& options)
    : view_size_(options.image_size), size_(worked_size(stored, options)) {
  if (options.resize == Resize::tiles)
    overlap_ = static_cast<std::int64_t>(std::floor(options.tile_overlap * static_cast<double>(view_size_)));
  down_ = axis(size_.height);
  across_ = axis(size_.width);
}

ViewPlan::Axis ViewPlan::axis(std::int64_t length) const {
  Axis axis;
  axis.length = length;
  const std::int64_t step = view_size_ - overlap_;
  const std::int64_t count = length <= view_size_ ? 1 : (length - overlap_ + step - 1) / step;
  for (std::int64_t i = 0; i < count; ++i)
    axis.starts.push_back(count == 1 ? 0 : i * (length - view_size_) / (count - 1));
  return axis;
}

View ViewPlan::view(std::int64_t index) const {
  View view;
  view.y = down_.starts[static_cast<std::size_t>(index / columns())];
  view.x = across_.starts[static_cast<std::size_t>(index % columns())];
  view.height = std::min(view_size_, size_.height - view.y);
  view.width = std::min(view_size_, size_.width - view.x);
  return view;
}

// The middle of what view `index` shares with the next one, as a border between pixels.
double ViewPlan::seam(const Axis& axis, std::int64_t index) const {
  const auto i = static_cast<std::size_t>(index);
  return static_cast<double>(axis.starts[i] + view_size_ + axis.starts[i + 1]) / 2;
}

// A view rises at the seam before it and falls at the seam behind it, by the same function, so that the sum telescopes
// to 1. Seams are further apart than they are wide: neighbors of three or more views start at least S / 4 apart.
std::vector<float> ViewPlan::weights(const Axis& axis, std::int64_t index) const {
  const auto start = axis.starts[static_cast<std::size_t>(index)];
  const auto shown = std::min(view_size_, axis.length - start);
  const bool is_last = index + 1 == static_cast<std::int64_t>(axis.starts.size());
  const double width = static_cast<double>(overlap_) / 2;
  std::vector<float> all(static_cast<std::size_t>(shown));
  for (std::int64_t i = 0; i < shown; ++i) {
    const double center = static_cast<double>(start + i) + 0.5;
    const double before = index == 0 ? 1 : rise(center - seam(axis, index - 1), width);
    const double behind = is_last ? 0 : rise(center - seam(axis, index), width);
    all[static_cast<std::size_t>(i)] = static_cast<float>(before - behind);
  }
  return all;
}

std::int64_t ViewPlan::first_row(std::int64_t row) const {
  if (row == 0) return 0;
  return static_cast<std::int64_t>(std::floor(seam(down_, row - 1) - static_cast<double>(overlap_) / 4 - 0.5));
}

std::int64_t mirrored(std::int64_t at, std::int64_t length) {
  if (length == 1) return 0;
  const std::int64_t period = 2 * (length - 1);
  const std::int64_t inside = at % period;
  return inside < length ? inside : period - inside;
}

}  // namespace nbs::data
