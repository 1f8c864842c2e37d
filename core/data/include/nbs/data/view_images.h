// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include <opencv2/core/mat.hpp>

#include "nbs/data/sample.h"
#include "nbs/data/views.h"

namespace nbs::data {

/// The plan of a sample's views. For "keep" and "tiles" this reads the head of the image's file, or, where that does
/// not state the size, the image. Throws nbs::Error if the file cannot be read.
ViewPlan plan_of(const Sample& sample, const DataOptions& options);

/// What a view shows of `whole`, an image or mask of the plan's size and of any type: S x S, the padding mirrored.
cv::Mat view_of(const cv::Mat& whole, const ViewPlan& plan, std::int64_t view);

/// The views of one image.
class ViewReader {
 public:
  /// `stored`: as read_stored_image() gives it, of the size that the plan was made for. The plan must outlive it. With
  /// "tiles" it converts view by view, so no more than that is ever held as floating numbers.
  ViewReader(const cv::Mat& stored, const ViewPlan& plan, const DataOptions& options);

  /// S x S, CV_8UC3, RGB; the padding mirrors the image.
  cv::Mat levels(std::int64_t view) const;
  /// Some rows of the image at the plan's size, CV_8UC3, RGB.
  cv::Mat rows(int begin, int end) const;

 private:
  const ViewPlan& plan_;
  bool tiles_;
  cv::Mat image_;  // as the file has it for tiles, CV_8UC3 RGB of the plan's size otherwise
};

}  // namespace nbs::data
