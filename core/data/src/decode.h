// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <opencv2/core/mat.hpp>

#include "nbs/data/image.h"

namespace nbs::data {

/// What the head of an image file says of the size of the upright picture.
struct StatedSize {
  std::uint64_t width = 0;
  std::uint64_t height = 0;
};

/// The size that the head of a PNG, JPEG, BMP, TIFF, WebP, JPEG 2000 or PNM file states; nothing for other bytes, or a
/// head that is damaged.
std::optional<StatedSize> stated_size(const std::string& bytes);

/// The bytes of an image file. Throws nbs::Error if it cannot be read.
std::string read_image_bytes(const std::filesystem::path& file);

/// The picture in its own depth (8 or 16 bit without sign, or floating), as OpenCV has it: 1 channel, or 3 or 4 in the
/// order blue, green, red, alpha; upright, as the file says that it is to be shown (stated_orientation()). `file` is
/// named in errors. Throws nbs::Error if the bytes are no image, cut short, of another depth, larger than kMostPixels,
/// or hold a value that is not finite.
cv::Mat decoded(const std::string& bytes, const std::filesystem::path& file);

/// decoded() of the file's bytes.
cv::Mat decode(const std::filesystem::path& file);

/// A decoded picture that is an image, not a mask or a map. Throws nbs::Error if it holds floating numbers that are
/// more than a little beyond 0 to 1.
cv::Mat in_image_range(cv::Mat picture, const std::filesystem::path& file);

/// A decoded picture, or some rows of one, as RGB, CV_32FC3 in [0, 1]; a little beyond that it is clamped. Alpha is
/// dropped.
cv::Mat as_color(cv::Mat picture);

}  // namespace nbs::data
