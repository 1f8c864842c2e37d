// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "nbs/data/sample.h"
#include "nbs/data/views.h"

namespace nbs::data {

/// An image with more pixels than this is refused (16,384 x 16,384): a file of some kilobytes may claim any number.
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 28;

/// Reads any common image format (gray, color, with alpha; 8 or 16 bit) as RGB, CV_32FC3 in [0, 1], at its own size.
/// Floating values beyond [0, 1] are clamped. Throws nbs::Error if the file is missing, not an image, cut short, larger
/// than 2^28 pixels, or holds values with a sign or that are not finite.
cv::Mat read_image(const std::filesystem::path& file);

/// The two steps of read_image(), for images of which three floats a pixel would not fit into memory: the image as the
/// file has it (one, three or four channels, BGR) ...
cv::Mat read_stored_image(const std::filesystem::path& file);
/// ... and some of its rows as RGB, CV_32FC3 in [0, 1].
cv::Mat rgb_of(const cv::Mat& stored);

/// `paths` with each folder replaced by what has an image's name directly in it, in order of name; whether it can be
/// read is said when it is read. Throws nbs::Error if a folder
/// holds none, or if two files have one name apart from folder and extension, under which results would overwrite each
/// other.
std::vector<std::filesystem::path> image_files_among(const std::vector<std::filesystem::path>& paths);

/// Reads a mask as CV_8UC1: 1 where the file is not zero in any channel but alpha. Throws as read_image(), and if the
/// file is JPEG, or WebP or JPEG 2000 with more than two values: around edges their noise would count as anomalous.
cv::Mat read_mask_image(const std::filesystem::path& file);

/// Reads `groundTruth.Segmentation` of a CrackForest .mat file (MATLAB 5, as save -v6 and -v7 write it) as CV_8UC1: 1
/// where its label is one of `anomalous_labels`. Throws nbs::Error if the file cannot be read, is damaged, of another
/// version, or lacks the field.
cv::Mat read_mask_mat(const std::filesystem::path& file, const std::vector<std::int64_t>& anomalous_labels);

/// The width and height of an image's file, from its head where that states them. Throws as read_image().
cv::Size size_of_image(const std::filesystem::path& file);

/// To this size, by area average when shrinking, linear otherwise.
cv::Mat resize_image(const cv::Mat& image, PixelSize size);
/// resize_image(rgb_of(stored), size), without a floating copy of the whole where that would be large: above 64
/// megapixels it is averaged row by row, which differs by rounding.
cv::Mat resize_stored(const cv::Mat& stored, PixelSize size);

/// An image CV_32FC3 in [0, 1] in the 256 levels of a byte, as CV_8UC3: the nearest of each number.
cv::Mat to_levels(const cv::Mat& image);
/// Back to CV_32FC3, each level as level_value().
cv::Mat from_levels(const cv::Mat& levels);

/// To this size, by nearest neighbor.
cv::Mat resize_mask(const cv::Mat& mask, PixelSize size);

/// The image of a sample at the size of its ViewPlan, CV_32FC3 RGB in [0, 1], by resize_stored().
cv::Mat load_image(const Sample& sample, const DataOptions& options);
/// The mask of a sample that has one in a file, in the size of the file, CV_8UC1 of 0 and 1. Throws nbs::Error if its
/// size is not that of its image.
cv::Mat read_mask_file(const Sample& sample, const DataOptions& options);
/// The mask of a sample at the size of its ViewPlan, CV_8UC1 of 0 and 1. Throws nbs::Error if its size is not that of
/// its image, or if the sample has none.
cv::Mat load_mask(const Sample& sample, const DataOptions& options);

/// Writes what read_mask_mat() reads: labels 1 (normal) and 2 (anomalous). For exported data sets and tests.
void write_mask_mat(const std::filesystem::path& file, const cv::Mat& mask);

}  // namespace nbs::data
