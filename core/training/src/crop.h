// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "nbs/base/random.h"
#include "nbs/data/augment.h"
#include "nbs/data/views.h"
#include "nbs/tensor.h"

namespace nbs::training {

/// A square window of an image, in pixels.
struct Window {
  std::int64_t y;
  std::int64_t x;
  std::int64_t side;
};

/// A window at a random place of an image of `size` x `size` pixels, of which those from `shown` on, below and to the
/// right, are padding; all of it if `crop` is 0 or no smaller than the image. It holds no more padding than it must.
Window draw_window(std::int64_t size, data::PixelSize shown, std::int64_t crop, Random& random);

/// One that shows an anomalous pixel of the mask [H, W] of what is no padding, which must have one: each pixel is as
/// likely to be the one, and each place of the window that shows it as likely as the others.
Window draw_anomalous_window(std::int64_t size, const torch::Tensor& mask, std::int64_t crop, Random& random);

/// Writes a square of `side` x `side` numbers, its rows `row` numbers apart, to `to` as dihedral(·, symmetry) turns it,
/// each divided by `divisor`.
void write_turned(const float* from, std::int64_t row, std::int64_t side, std::int64_t symmetry, float divisor,
                  float* to);

/// How a sample is cut out of an image and all that belongs to it: a window, warped if [augment] says so, then one of
/// the eight flips and quarter turns.
class Crop {
 public:
  /// `size`: of the image. Draws the warp, if there is one.
  Crop(std::int64_t size, const Window& window, const data::AugmentOptions& augment, Random& random);

  /// The symmetry of dihedral().
  void turn(std::int64_t symmetry) { symmetry_ = symmetry; }

  /// Of planes [C, S, S]; values in between are interpolated.
  torch::Tensor of(const torch::Tensor& planes) const;
  /// Of a mask [S, S], which stays 0 or 1.
  torch::Tensor of_mask(const torch::Tensor& mask) const;
  /// That of one plane [S, S], contiguous, divided by a number, into side x side numbers from `to` on.
  void write(const torch::Tensor& plane, float divisor, float* to) const;

 private:
  Window window_;
  std::int64_t symmetry_ = 0;
  std::optional<data::Warp> warp_;
};

}  // namespace nbs::training
