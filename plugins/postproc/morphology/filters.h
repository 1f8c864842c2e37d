// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nbs::morphology {

/// Gray closing of a map [height, width] with a square of 2 radius + 1 pixels: dilation, then erosion, of the values
/// themselves. Gaps narrower than the square take the value around them; nothing becomes less. A square, because a
/// disc's tip fits into a gap of a line one pixel wide and leaves it open. Outside the map there is nothing that could
/// raise or lower a value. `radius` in pixels, at least 0; 0 changes nothing.
void close_gaps(float* map, std::int64_t height, std::int64_t width, std::int64_t radius);

/// Suppresses components (8 neighbors) of {value >= threshold} of fewer than `min_area` pixels: their values become
/// `suppressed`, which must be below `threshold`. Values below the threshold stay. Returns the number of components
/// suppressed.
std::int64_t remove_small(float* map, std::int64_t height, std::int64_t width, float threshold, std::int64_t min_area,
                          float suppressed);

}  // namespace nbs::morphology
