// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nbs/tensor.h"

#include "options.h"

namespace nbs::bergmann {

/// The structural similarity index (Wang et al. 2004, Eq. 13) around every pixel, as Bergmann et al. 2018 (Eq. 8) use
/// it for training and for residual maps.
class Ssim {
 public:
  /// `window`: odd side of the window. `weights`: of its pixels; the Gaussian has a deviation of 1.5 pixels. `c1`,
  /// `c2`: for values in [0, 1]. Throws nbs::Error for an even window.
  Ssim(std::int64_t window, Weights weights, double c1, double c2);

  /// Similarity [B, C, H, W] of `x` and `y`, both [B, C, H, W], float32 or float64, channel by channel, in [-1, 1] but
  /// for rounding; 1 where both agree. At the border only the window's part inside the map counts, with weights that
  /// sum to 1. Differentiable in both.
  torch::Tensor map(const torch::Tensor& x, const torch::Tensor& y) const;

 private:
  /// Weights [size, size]: row i averages around position i along one axis.
  torch::Tensor averaging(std::int64_t size, const torch::Tensor& like) const;

  std::int64_t radius_;
  bool gaussian_;
  double c1_;
  double c2_;
};

}  // namespace nbs::bergmann
