// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <opencv2/core/mat.hpp>

#include "nbs/data/views.h"

namespace nbs::data {

/// What resize_image(as_color(picture), size) is but for rounding, row by row: without a floating copy of the whole
/// picture, which takes 12 bytes a pixel. `picture` is as decoded() gives it. Where one side is shorter than in `size`,
/// that side is interpolated and the other averaged.
cv::Mat reduce(const cv::Mat& picture, PixelSize size);

}  // namespace nbs::data
