// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "nbs/data/sample.h"

namespace nbs::data {

/// Reads any common image format (grey, colour, with alpha; 8 or 16 bit) as RGB, CV_32FC3 in [0, 1], at its own size.
/// Throws nbs::Error if the file is missing, not an image, or cut short.
cv::Mat read_image(const std::filesystem::path& file);

/// The two steps of read_image(), for images of which three floats a pixel would not fit into memory: the image as the
/// file has it (one, three or four channels, BGR) ...
cv::Mat read_stored_image(const std::filesystem::path& file);
/// ... and some of its rows as RGB, CV_32FC3 in [0, 1].
cv::Mat rgb_of(const cv::Mat& stored);

/// `paths` with each folder replaced by the image files directly in it, in order of name. Throws nbs::Error if a folder
/// holds none, or if two files have one name apart from folder and extension, under which results would overwrite each
/// other.
std::vector<std::filesystem::path> image_files_among(const std::vector<std::filesystem::path>& paths);

/// Reads a mask as CV_8UC1: 1 where the file is not zero. Throws as read_image().
cv::Mat read_mask_image(const std::filesystem::path& file);

/// Reads `groundTruth.Segmentation` of a CrackForest .mat file as CV_8UC1: 1 where its label is one of
/// `anomalous_labels`. Throws nbs::Error if the file cannot be read or lacks the field.
cv::Mat read_mask_mat(const std::filesystem::path& file, const std::vector<std::int64_t>& anomalous_labels);

/// S x S by area average when shrinking, linear otherwise; the aspect ratio is not kept (as in the paper).
cv::Mat resize_image(const cv::Mat& image, std::int64_t size);
/// resize_image(rgb_of(stored), size). Where three floats a pixel would take more than 256 MiB and the image is to
/// shrink both ways, it is converted and averaged a few rows at a time, with the same result but for rounding.
cv::Mat resize_stored(const cv::Mat& stored, std::int64_t size);

/// S x S by nearest neighbour.
cv::Mat resize_mask(const cv::Mat& mask, std::int64_t size);

/// The image of a sample, S x S, CV_32FC3 RGB in [0, 1].
cv::Mat load_image(const Sample& sample, const DataOptions& options);
/// The mask of a sample, S x S, CV_8UC1 of 0 and 1. Throws nbs::Error if its size is not that of its image, or if the
/// sample has none.
cv::Mat load_mask(const Sample& sample, const DataOptions& options);

/// Writes what read_mask_mat() reads: labels 1 (normal) and 2 (anomalous). For exported data sets and tests.
void write_mask_mat(const std::filesystem::path& file, const cv::Mat& mask);

}  // namespace nbs::data
