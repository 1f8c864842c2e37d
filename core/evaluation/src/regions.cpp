// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/regions.h"

#include <algorithm>
#include <limits>

#include <opencv2/imgproc.hpp>

#include "nbs/evaluation/pixel_levels.h"

#include "region_overlap.h"

namespace nbs::evaluation {

double area_under_region_overlap(const std::vector<ScoredImage>& images, double limit) {
  PixelLevels levels({}, std::numeric_limits<std::size_t>::max());
  for (const auto& image : images)
    levels.add(image);
  RegionOverlap overlap(levels.regions(), levels.normal(), limit);
  levels.walk([&](const PixelLevel& level) { return overlap.add(level); });
  return overlap.value();
}

std::int64_t largest_region(const ScoredImage& image, double threshold) {
  cv::Mat predicted(static_cast<int>(image.height), static_cast<int>(image.width), CV_8U);
  for (std::size_t i = 0; i < image.probability.size(); ++i)
    predicted.data[i] = image.probability[i] >= threshold ? 1 : 0;
  cv::Mat labels;
  cv::Mat statistics;
  cv::Mat centroids;
  const int count = cv::connectedComponentsWithStats(predicted, labels, statistics, centroids, 8, CV_32S);
  std::int64_t largest = 0;
  for (int label = 1; label < count; ++label)
    largest = std::max<std::int64_t>(largest, statistics.at<int>(label, cv::CC_STAT_AREA));
  return largest;
}

}  // namespace nbs::evaluation
