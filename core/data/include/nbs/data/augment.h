// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "nbs/data/options.h"

namespace nbs::data {

/// Gives uniform numbers in [0, 1).
using Uniform = std::function<double()>;

/// Brightness, contrast, color and noise of one image [3, pixels] in [0, 1], in place; clamped to [0, 1].
void augment_color(float* image, std::int64_t pixels, const AugmentOptions& options, const Uniform& uniform);

/// Rotation, scale and elastic displacement of an image [3, S, S] (linear) and its mask [S, S] (nearest neighbor)
/// together, in place; what comes from outside is mirrored.
void augment_geometry(float* image, float* mask, std::int64_t size, const AugmentOptions& options,
                      const Uniform& uniform);

}  // namespace nbs::data
