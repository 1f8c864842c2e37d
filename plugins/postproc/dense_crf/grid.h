// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "parameters.h"

namespace nbs::crf {

/// What one thread keeps from image to image.
struct GridWorkspace {
  std::vector<float> cells, scratch;
};

/// As mean_field, for gray images (the three planes equal, rounded to 256 levels), where the appearance kernel has
/// three dimensions: a bilateral grid (Paris and Durand 2006) with every gray level and a spatial step of half a sigma,
/// interpolated linearly; the smoothness kernel is a separable Gaussian. Nearer to the exact sums than the lattice is,
/// and for that reason not equal to the lattice's results. `log_odds`, `result`: [pixels], may be the same.
/// Throws nbs::Error for an image with colors, and for sigmas so small that the grid would not fit into memory.
void grid_mean_field(const Parameters& parameters, const Image& image, const float* log_odds, float* result,
                     GridWorkspace& workspace);

}  // namespace nbs::crf
