// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include <opencv2/core/mat.hpp>

namespace nbs::data {

/// Reads a map of probabilities as [H, W], CV_32F in [0, 1]: a .npy file as it is, a grey picture of 8 or 16 bits by
/// its range, a floating picture as it is. Throws nbs::Error if the file cannot be read, has not two dimensions, is
/// coloured, or holds a value that is no number from 0 to 1; the error says where the first of these is.
cv::Mat read_probability_map(const std::filesystem::path& file);

}  // namespace nbs::data
