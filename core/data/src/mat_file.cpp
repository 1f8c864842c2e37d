// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/data/image.h"
#include "nbs/error.h"

#include "mat5.h"

namespace nbs::data {

namespace {

constexpr const char* kVariable = "groundTruth";
constexpr const char* kField = "Segmentation";
constexpr std::size_t kLargestFile = std::size_t{1} << 30;

// What is wrong and what to do about it, to follow the file's name.
std::string refusal(MatrixSearch::Outcome outcome) {
  switch (outcome) {
    case MatrixSearch::Outcome::cut_short:
      return "is cut short; copy it again";
    case MatrixSearch::Outcome::damaged:
      return "is damaged: a part of it contradicts itself; copy it again";
    case MatrixSearch::Outcome::too_large:
      return "holds more than 1 GiB in one variable, which is too large for a mask; save the mask alone, as uint8";
    case MatrixSearch::Outcome::matlab4:
      return "is a MATLAB 4 file, which cannot hold groundTruth.Segmentation; save it again with save(..., '-v7')";
    case MatrixSearch::Outcome::matlab73:
      return "is a MATLAB 7.3 file (HDF5), which is not read; save it again with save(..., '-v7')";
    case MatrixSearch::Outcome::foreign:
      return "cannot be read as a MATLAB file; check that it is one, and complete";
    default:
      return "has no matrix groundTruth.Segmentation, as CrackForest's have; it is another kind of file, or damaged";
  }
}

}  // namespace

cv::Mat read_mask_mat(const std::filesystem::path& file, const std::vector<std::int64_t>& anomalous_labels) {
  const auto bytes = read_file(file, "MATLAB file", kLargestFile);
  const auto found = find_matrix(bytes, kVariable, kField);
  if (found.outcome != MatrixSearch::Outcome::found)
    throw Error(fmt::format(
        "the file {}{} {}", file.string(),
        found.outcome == MatrixSearch::Outcome::absent ? std::string() : fmt::format(" ({} bytes)", bytes.size()),
        refusal(found.outcome)));
  const auto& labels = found.matrix;
  cv::Mat mask(static_cast<int>(labels.rows()), static_cast<int>(labels.columns()), CV_8UC1);
  for (int y = 0; y < mask.rows; ++y) {
    for (int x = 0; x < mask.cols; ++x) {
      const double label = labels.at(y, x);
      const bool anomalous = std::any_of(anomalous_labels.begin(), anomalous_labels.end(),
                                         [&](std::int64_t wanted) { return label == static_cast<double>(wanted); });
      mask.at<std::uint8_t>(y, x) = anomalous ? 1 : 0;
    }
  }
  return mask;
}

void write_mask_mat(const std::filesystem::path& file, const cv::Mat& mask) {
  std::vector<std::uint8_t> labels;
  for (int x = 0; x < mask.cols; ++x) {
    for (int y = 0; y < mask.rows; ++y)
      labels.push_back(mask.at<std::uint8_t>(y, x) != 0 ? 2 : 1);
  }
  write_file(file, matlab5_bytes(kVariable, kField, mask.rows, mask.cols, labels));
}

}  // namespace nbs::data
