// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <opencv2/core/mat.hpp>

namespace nbs::data {

/// Which way up the picture of an image file is to be shown, as EXIF numbers it (tag 274): 1, as it is stored, to 8.
/// Cameras turn the number and not the picture. Read from JPEG, PNG, WebP and TIFF files; 1 if nothing is said there.
int stated_orientation(const std::string& bytes);

/// Whether width and height change places on the way to the upright picture.
inline bool lies_on_its_side(int orientation) {
  return orientation >= 5;
}

/// The upright picture of a stored one.
cv::Mat upright(const cv::Mat& stored, int orientation);

}  // namespace nbs::data
