// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/view_images.h"

#include <algorithm>
#include <cstring>
#include <string>

#include <fmt/format.h>

#include "nbs/data/image.h"
#include "nbs/error.h"

#include "decode.h"

namespace nbs::data {

namespace {

// The part of an image of the plan's size, S x S with its mirror image around it.
cv::Mat padded(const cv::Mat& part, std::int64_t size) {
  const int side = static_cast<int>(size);
  if (part.rows == side && part.cols == side) return part;
  cv::Mat square(side, side, part.type());
  const std::size_t bytes = part.elemSize();
  for (int y = 0; y < side; ++y) {
    const auto* const from = part.ptr(static_cast<int>(mirrored(y, part.rows)));
    auto* const to = square.ptr(y);
    for (int x = 0; x < side; ++x) {
      const auto source = static_cast<std::size_t>(mirrored(x, part.cols));
      std::memcpy(to + static_cast<std::size_t>(x) * bytes, from + source * bytes, bytes);
    }
  }
  return square;
}

cv::Rect place_of(const View& view) {
  return {static_cast<int>(view.x), static_cast<int>(view.y), static_cast<int>(view.width),
          static_cast<int>(view.height)};
}

}  // namespace

ViewPlan plan_of(const Sample& sample, const DataOptions& options) {
  if (options.resize == Resize::square || sample.mask_source == MaskSource::generated)
    return {{options.image_size, options.image_size}, options};
  const cv::Size size = size_of_image(sample.image);
  return {{size.height, size.width}, options};
}

cv::Mat view_of(const cv::Mat& whole, const ViewPlan& plan, std::int64_t view) {
  return padded(whole(place_of(plan.view(view))), plan.view_size());
}

ViewReader::ViewReader(const cv::Mat& stored, const ViewPlan& plan, const DataOptions& options)
    : plan_(plan), tiles_(options.resize == Resize::tiles) {
  const auto size = plan.size();
  if (tiles_ && (stored.rows != size.height || stored.cols != size.width)) {
    throw Error(fmt::format("an image of {} x {} pixels was {} x {} before; run again when the files stay as they are",
                            stored.cols, stored.rows, size.width, size.height));
  }
  image_ = tiles_ ? stored : to_levels(resize_stored(stored, size));
}

cv::Mat ViewReader::levels(std::int64_t view) const {
  const cv::Mat part = image_(place_of(plan_.view(view)));
  return padded(tiles_ ? to_levels(as_color(part)) : part, plan_.view_size());
}

cv::Mat ViewReader::rows(int begin, int end) const {
  const cv::Mat part = image_.rowRange(begin, end);
  return tiles_ ? to_levels(as_color(part)) : part;
}

}  // namespace nbs::data
