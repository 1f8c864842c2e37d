// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "png_file.h"

namespace nbs::worker {

/// The files that are written of an image of that name (its stem): mask, probability and overlay.
std::vector<std::filesystem::path> prediction_files(const std::filesystem::path& folder, const std::string& stem);

/// Rows begin … end - 1 of an image or map of known width.
using Rows = std::function<cv::Mat(int begin, int end)>;

/// A map CV_32F enlarged (or shrunk) to `size` by linear interpolation, as cv::resize does it. Where that would take
/// more than 256 MiB, rows are made when they are asked for, with the same result but for rounding.
Rows resized_rows(const cv::Mat& map, cv::Size size);

/// Calls `visit` for every row of a map of `size` with the values of that row; a band of rows is made at a time.
void for_each_row(cv::Size size, const Rows& map, const std::function<void(int y, const float* values)>& visit);

/// The pixel of a mask: a pixel is anomalous from `threshold`.
inline std::uint8_t mask_pixel(float probability, double threshold) {
  return probability >= threshold ? 255 : 0;
}

/// Writes STEM.mask.png, STEM.probability.png and STEM.overlay.png into `folder`, each made a band of rows at a time
/// and one after the other, so that a large image fits into memory. `probability` gives CV_32F; `colors` CV_32FC3, RGB
/// in [0, 1]; both are of `size`. A pixel is anomalous from `threshold`.
void write_prediction(const std::filesystem::path& folder, const std::string& stem, cv::Size size,
                      const Rows& probability, const Rows& colors, double threshold);

/// Writes the same three pictures, of which rows are given from the top, so that they take no memory. The pictures get
/// their names in finish(). (Their bytes may differ from write_prediction()'s, their pixels do not.)
class PredictionFiles {
 public:
  /// Throws nbs::Error if a file cannot be made.
  PredictionFiles(const std::filesystem::path& folder, const std::string& stem, cv::Size size, double threshold);

  /// The next rows: `probability` CV_32F, `colors` CV_32FC3, RGB in [0, 1]. Throws nbs::Error.
  void add(const cv::Mat& probability, const cv::Mat& colors);
  /// After the last row. Throws nbs::Error.
  void finish();

 private:
  double threshold_;
  PngFile mask_;
  PngFile probability_;
  PngFile overlay_;
};

}  // namespace nbs::worker
