// SPDX-License-Identifier: Apache-2.0
#include "filters.h"

#include <opencv2/imgproc.hpp>

namespace nbs::morphology {

namespace {

cv::Mat wrap(float* map, std::int64_t height, std::int64_t width) {
  return {static_cast<int>(height), static_cast<int>(width), CV_32F, map};
}

}  // namespace

void close_gaps(float* map, std::int64_t height, std::int64_t width, std::int64_t radius) {
  if (radius == 0) return;
  cv::Mat values = wrap(map, height, width);
  const int side = 2 * static_cast<int>(radius) + 1;
  const cv::Mat element = cv::getStructuringElement(cv::MORPH_RECT, cv::Size(side, side));
  // OpenCV's default border for both steps is the neutral value: the lowest for dilation, the highest for erosion.
  cv::Mat dilated;
  cv::dilate(values, dilated, element);
  cv::erode(dilated, values, element);
}

std::int64_t remove_small(float* map, std::int64_t height, std::int64_t width, float threshold, std::int64_t min_area,
                          float suppressed) {
  if (min_area <= 1) return 0;
  cv::Mat values = wrap(map, height, width);
  cv::Mat labels;
  cv::Mat statistics;
  cv::Mat centroids;
  const int count = cv::connectedComponentsWithStats(values >= threshold, labels, statistics, centroids, 8, CV_32S);
  std::int64_t removed = 0;
  for (int label = 1; label < count; ++label)
    removed += statistics.at<int>(label, cv::CC_STAT_AREA) < min_area ? 1 : 0;
  for (int y = 0; y < values.rows; ++y) {
    for (int x = 0; x < values.cols; ++x) {
      const int label = labels.at<int>(y, x);
      if (label > 0 && statistics.at<int>(label, cv::CC_STAT_AREA) < min_area) values.at<float>(y, x) = suppressed;
    }
  }
  return removed;
}

}  // namespace nbs::morphology
