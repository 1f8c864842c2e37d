// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/tolerance.h"

#include <opencv2/imgproc.hpp>

namespace nbs::evaluation {

namespace {

// 8 bit, 255 where predicted. OpenCV's own comparison would round the threshold to a float, which can move pixels
// across.
cv::Mat predicted_pixels(const ScoredImage& image, double threshold) {
  cv::Mat predicted(static_cast<int>(image.height), static_cast<int>(image.width), CV_8U);
  for (std::size_t i = 0; i < image.probability.size(); ++i)
    predicted.data[i] = image.probability[i] >= threshold ? 255 : 0;
  return predicted;
}

// Both: 8 bit, not zero where a pixel belongs to the set.
void add_pixels_near(const cv::Mat& set, const cv::Mat& other, double tolerance, ToleranceF1::NearPixels& to) {
  const int all = cv::countNonZero(set);
  to.all += all;
  // Nothing is near an empty set, whose distance OpenCV does not define.
  if (all == 0 || cv::countNonZero(other) == 0) return;
  const cv::Mat outside = other == 0;  // the transform measures the distance to the nearest pixel that is zero
  cv::Mat distance;
  cv::distanceTransform(outside, distance, cv::DIST_L2, cv::DIST_MASK_PRECISE);
  to.near += cv::countNonZero((distance <= tolerance) & (set != 0));
}

}  // namespace

void ToleranceF1::add(const ScoredImage& image) {
  const cv::Mat anomalous(static_cast<int>(image.height), static_cast<int>(image.width), CV_8U,
                          const_cast<std::uint8_t*>(image.mask.data()));
  const cv::Mat predicted = predicted_pixels(image, threshold_);
  add_pixels_near(predicted, anomalous, tolerance_, correct_);
  add_pixels_near(anomalous, predicted, tolerance_, found_);
}

double ToleranceF1::value() const {
  const double precision = correct_.share();
  const double recall = found_.share();
  return precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
}

double f1_with_tolerance(const std::vector<ScoredImage>& images, double threshold, double tolerance) {
  ToleranceF1 f1(threshold, tolerance);
  for (const auto& image : images)
    f1.add(image);
  return f1.value();
}

}  // namespace nbs::evaluation
