// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

namespace nbs::evaluation {

// Pictures of predictions, as the bytes of PNG files. Maps are [H, W]; images [3, H, W] RGB in [0, 1].

/// Any picture (8 or 16 bit, one or three channels) as PNG. A caller that has no more use for it moves it here, which
/// spares the memory.
std::string png_bytes(cv::Mat picture);

/// White where anomalous.
std::string mask_png(const std::vector<std::uint8_t>& mask, std::int64_t height, std::int64_t width);

/// The image itself.
std::string image_png(const float* image, std::int64_t height, std::int64_t width);

/// Probabilities as 16 bit gray.
std::string probability_png(const std::vector<float>& probability, std::int64_t height, std::int64_t width);

/// The image with the prediction tinted red and, if `truth` is not empty, the outline of the truth in green.
std::string overlay_png(const float* image, const std::vector<std::uint8_t>& mask,
                        const std::vector<std::uint8_t>& truth, std::int64_t height, std::int64_t width);

}  // namespace nbs::evaluation
