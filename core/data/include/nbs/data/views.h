// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/data/options.h"

// How an image of any size becomes views, the squares of S x S pixels that networks see, and how maps of views become
// one map of the image again. Geometry alone: no pixel is read here.

namespace nbs::data {

/// In pixels.
struct PixelSize {
  std::int64_t height = 0;
  std::int64_t width = 0;

  bool operator==(const PixelSize& other) const { return height == other.height && width == other.width; }
};

/// One view: where its first pixel lies in the image, and how much of it lies in the image. The rest, below and to the
/// right, is padding.
struct View {
  std::int64_t y = 0;
  std::int64_t x = 0;
  std::int64_t height = 0;  ///< 1 … S
  std::int64_t width = 0;   ///< 1 … S
};

/// The views of one image, in rows from the top and in each from the left.
class ViewPlan {
 public:
  /// `stored`: the size of the image's file, at least 1 x 1. "square" and "keep" give one view; "tiles" gives as few as
  /// cover the image with at least the overlap that the options want, evenly spread.
  ViewPlan(PixelSize stored, const DataOptions& options);

  /// The size at which the image is looked at and scored: S x S for "square", the longer side S for "keep", and that of
  /// the file for "tiles".
  PixelSize size() const { return size_; }
  std::int64_t view_size() const { return view_size_; }  ///< S
  std::int64_t count() const { return rows() * columns(); }
  std::int64_t rows() const { return static_cast<std::int64_t>(down_.starts.size()); }       ///< of views
  std::int64_t columns() const { return static_cast<std::int64_t>(across_.starts.size()); }  ///< of views
  View view(std::int64_t index) const;

  /// How much each row of a view of this row of views counts in the image's map, from the view's first row on. The
  /// weight of a pixel is the product of that of its row and that of its column; those of all views that show it sum to
  /// 1. Where another view shows the same, the outer quarter of the overlap counts nothing, as networks know least at
  /// the border, and the inner half changes smoothly from one view to the other.
  std::vector<float> weights_down(std::int64_t row) const { return weights(down_, row); }
  std::vector<float> weights_across(std::int64_t column) const { return weights(across_, column); }
  /// The first row that counts in views of this row of views.
  std::int64_t first_row(std::int64_t row) const;

 private:
  struct Axis {
    std::int64_t length = 0;
    std::vector<std::int64_t> starts;  // of the views, ascending
  };
  Axis axis(std::int64_t length) const;
  std::vector<float> weights(const Axis& axis, std::int64_t index) const;
  double seam(const Axis& axis, std::int64_t index) const;

  std::int64_t view_size_;
  std::int64_t overlap_ = 0;  // the least, in pixels; at most S / 2
  PixelSize size_;
  Axis down_;
  Axis across_;
};

/// The pixel, 0 … length - 1, that stands at place `at` >= 0 of a row that goes on as its own mirror image, again and
/// again if it must; the last pixel itself is not repeated.
std::int64_t mirrored(std::int64_t at, std::int64_t length);

}  // namespace nbs::data
