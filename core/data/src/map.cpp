// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/map.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <opencv2/core.hpp>

#include "nbs/data/npy.h"
#include "nbs/error.h"

#include "decode.h"

namespace nbs::data {

namespace {

cv::Mat from_npy(const std::filesystem::path& file) {
  const auto array = read_npy(file);
  if (array.shape.size() != 2) {
    throw Error(fmt::format("{} has {} dimensions, but a probability map has 2 (height, width)", file.string(),
                            array.shape.size()));
  }
  constexpr std::int64_t kLargest = std::numeric_limits<int>::max();
  if (array.shape[0] > kLargest || array.shape[1] > kLargest)
    throw Error(fmt::format("{} is too large for a probability map", file.string()));
  cv::Mat map(static_cast<int>(array.shape[0]), static_cast<int>(array.shape[1]), CV_32F);
  if (!map.empty()) {
    std::transform(array.values.begin(), array.values.end(), map.ptr<float>(),
                   [](double value) { return static_cast<float>(value); });
  }
  return map;
}

cv::Mat from_picture(const std::filesystem::path& file) {
  const cv::Mat picture = decode(file);
  cv::Mat gray;
  cv::extractChannel(picture, gray, 0);
  for (int channel = 1; channel < std::min(picture.channels(), 3); ++channel) {
    cv::Mat other;
    cv::extractChannel(picture, other, channel);
    if (cv::countNonZero(other != gray) > 0) {
      throw Error(
          fmt::format("{} is a colored picture, but a probability map is gray; name the map itself", file.string()));
    }
  }
  cv::Mat map;
  gray.convertTo(map, CV_32F, gray.depth() == CV_8U ? 1.0 / 255 : gray.depth() == CV_16U ? 1.0 / 65535 : 1.0);
  return map;
}

}  // namespace

cv::Mat read_probability_map(const std::filesystem::path& file) {
  cv::Mat map = file.extension() == ".npy" ? from_npy(file) : from_picture(file);
  for (int y = 0; y < map.rows; ++y) {
    for (int x = 0; x < map.cols; ++x) {
      const float value = map.at<float>(y, x);
      if (value >= 0 && value <= 1) continue;
      throw Error(
          fmt::format("the map {} holds {} at row {}, column {} (from 0), but a probability is a number from 0 to 1; "
                      "mend the file",
                      file.string(), value, y, x));
    }
  }
  return map;
}

}  // namespace nbs::data
