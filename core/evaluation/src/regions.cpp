// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/regions.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <opencv2/imgproc.hpp>

#include "sorted_pixels.h"

namespace nbs::evaluation {

double area_under_region_overlap(const std::vector<ScoredImage>& images, double limit) {
  std::vector<std::pair<float, double>> anomalous;  // probability, share of its region
  std::vector<std::uint32_t> normal;
  std::int64_t regions = 0;
  for (const auto& image : images) {
    const int height = static_cast<int>(image.height);
    const int width = static_cast<int>(image.width);
    const cv::Mat mask(height, width, CV_8U, const_cast<std::uint8_t*>(image.mask.data()));
    cv::Mat labels;
    cv::Mat statistics;
    cv::Mat centroids;
    const int count = cv::connectedComponentsWithStats(mask, labels, statistics, centroids, 8, CV_32S);
    regions += count - 1;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int label = labels.at<int>(y, x);
        const float probability = image.probability[static_cast<std::size_t>(y) * image.width + x];
        if (label == 0) {
          normal.push_back(pixel_key(probability, false));
        } else {
          anomalous.emplace_back(probability, 1.0 / statistics.at<int>(label, cv::CC_STAT_AREA));
        }
      }
    }
  }
  if (regions == 0 || normal.empty()) return std::numeric_limits<double>::quiet_NaN();
  sort_keys(normal);
  std::sort(anomalous.begin(), anomalous.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  const auto normals = static_cast<double>(normal.size());
  double area = 0;
  double overlap = 0;
  double rate = 0;
  std::size_t a = 0;
  std::size_t n = normal.size();
  while (a < anomalous.size() || n > 0) {
    // All pixels that share the next highest probability come in together.
    float highest = -1;
    if (a < anomalous.size()) highest = anomalous[a].first;
    if (n > 0) highest = std::max(highest, key_probability(normal[n - 1]));
    const double overlap_before = overlap;
    const double rate_before = rate;
    while (a < anomalous.size() && anomalous[a].first == highest)
      overlap += anomalous[a++].second / static_cast<double>(regions);
    while (n > 0 && key_probability(normal[n - 1]) == highest)
      --n;
    rate = static_cast<double>(normal.size() - n) / normals;
    if (rate <= limit) {
      area += (rate - rate_before) * (overlap + overlap_before) / 2;
      continue;
    }
    const double at_limit = overlap_before + (overlap - overlap_before) * (limit - rate_before) / (rate - rate_before);
    return (area + (limit - rate_before) * (overlap_before + at_limit) / 2) / limit;
  }
  return area / limit;
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
