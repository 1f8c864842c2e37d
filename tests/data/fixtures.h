// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <opencv2/core.hpp>

#include "nbs/data/options.h"
#include "nbs/data/sets.h"

namespace nbs::test {

/// Options for a data set on disk: S = 16, split seed 0.
data::DataOptions options_for(const std::string& format, const std::filesystem::path& root, std::int64_t labeled = 0);

/// Writes a picture through OpenCV, making its folder.
void write_picture(const std::filesystem::path& file, const cv::Mat& picture);

/// A color picture, 8 bit BGR, that differs from pixel to pixel.
cv::Mat color_picture(int rows, int columns);

/// A mask of 0 and 255 that is anomalous in columns `from` to `to` - 1.
cv::Mat stripe_mask(int rows, int columns, int from, int to);

/// A plain-folder data set of `count` images of 24 x 32 pixels, named a, b, c, …; the masks of those named in
/// `anomalous` have a stripe.
void write_folder_layout(const std::filesystem::path& root, int count, const std::string& anomalous);

/// A picture in files of all formats that say which way up it is to be shown, with names that fit: EXIF's orientation,
/// 1 to 8 if it is a good one. 8 bit BGR.
std::map<std::string, std::string> with_orientation(const cv::Mat& picture, int orientation);

std::string read_bytes(const std::filesystem::path& file);
void write_bytes(const std::filesystem::path& file, const std::string& bytes);

/// The ids of the samples, in order.
std::vector<std::string> ids_of(const std::vector<data::Sample>& samples);

}  // namespace nbs::test
