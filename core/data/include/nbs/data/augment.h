// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include <opencv2/core.hpp>

#include "nbs/data/options.h"

namespace nbs::data {

/// Gives uniform numbers in [0, 1).
using Uniform = std::function<double()>;

/// Brightness, contrast, color and noise of one image [3, pixels] in [0, 1], in place; clamped to [0, 1].
void augment_color(float* image, std::int64_t pixels, const AugmentOptions& options, const Uniform& uniform);

/// Whether augment_color() changes anything.
bool changes_color(const AugmentOptions& options);

/// A random rotation, scale and elastic displacement of a square window of an image: where each of its pixels comes
/// from. What comes from outside of the image is mirrored.
class Warp {
 public:
  /// A window of `side` pixels at (y, x) of an image of `size` pixels; it is turned and scaled about its own center.
  Warp(std::int64_t size, std::int64_t y, std::int64_t x, std::int64_t side, const AugmentOptions& options,
       const Uniform& uniform);

  /// A plane [size, size] -> [side, side], interpolated linearly.
  void apply(const float* plane, float* window) const;
  /// The same for a mask: the nearest pixel.
  void apply_nearest(const float* plane, float* window) const;

 private:
  void remap(const float* plane, float* window, int interpolation) const;

  int size_;
  cv::Mat from_x_;
  cv::Mat from_y_;
};

/// Whether there is anything to draw a Warp for.
bool warps(const AugmentOptions& options);

}  // namespace nbs::data
