// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/pictures.h"

#include <algorithm>

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "nbs/evaluation/pixels.h"

namespace nbs::evaluation {

namespace {

cv::Mat as_bytes(const std::vector<std::uint8_t>& mask, std::int64_t height, std::int64_t width) {
  cv::Mat picture(static_cast<int>(height), static_cast<int>(width), CV_8U);
  std::transform(mask.begin(), mask.end(), picture.data,
                 [](std::uint8_t value) { return static_cast<std::uint8_t>(value != 0 ? 255 : 0); });
  return picture;
}

}  // namespace

std::string png_bytes(cv::Mat picture) {
  std::vector<unsigned char> bytes;
  // As much as there can be, or the growing buffer would be copied again and again; what is not used takes no memory.
  bytes.reserve(picture.total() * picture.elemSize() * 101 / 100 + 65536);
  cv::imencode(".png", picture, bytes, {cv::IMWRITE_PNG_COMPRESSION, 3});
  picture.release();
  return {bytes.begin(), bytes.end()};
}

std::string image_png(const float* image, std::int64_t height, std::int64_t width) {
  const std::vector<std::uint8_t> nothing(static_cast<std::size_t>(height * width), 0);
  return overlay_png(image, nothing, {}, height, width);
}

std::string mask_png(const std::vector<std::uint8_t>& mask, std::int64_t height, std::int64_t width) {
  return png_bytes(as_bytes(mask, height, width));
}

std::string probability_png(const std::vector<float>& probability, std::int64_t height, std::int64_t width) {
  cv::Mat picture(static_cast<int>(height), static_cast<int>(width), CV_16U);
  for (std::size_t i = 0; i < probability.size(); ++i)
    picture.ptr<std::uint16_t>()[i] = probability_pixel(probability[i]);
  return png_bytes(picture);
}

std::string overlay_png(const float* image, const std::vector<std::uint8_t>& mask,
                        const std::vector<std::uint8_t>& truth, std::int64_t height, std::int64_t width) {
  const int rows = static_cast<int>(height);
  const int columns = static_cast<int>(width);
  const std::int64_t plane = height * width;
  cv::Mat picture(rows, columns, CV_8UC3);
  for (std::int64_t i = 0; i < plane; ++i) {
    auto& pixel = picture.ptr<cv::Vec3b>()[i];
    const bool tinted = mask[static_cast<std::size_t>(i)] != 0;
    for (int c = 0; c < 3; ++c)  // RGB planes to BGR
      pixel[c] = overlay_pixel(image[(2 - c) * plane + i], c == 2, tinted);
  }
  if (!truth.empty()) {
    std::vector<std::vector<cv::Point>> outlines;
    cv::findContours(as_bytes(truth, height, width), outlines, cv::RETR_LIST, cv::CHAIN_APPROX_NONE);
    cv::drawContours(picture, outlines, -1, cv::Scalar(60, 230, 60), 1);
  }
  return png_bytes(picture);
}

}  // namespace nbs::evaluation
