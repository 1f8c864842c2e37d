// SPDX-License-Identifier: Apache-2.0
#include "nbs/evaluation/pictures.h"

#include <doctest/doctest.h>
#include <opencv2/imgcodecs.hpp>

using namespace nbs;

namespace {

cv::Mat decoded(const std::string& png) {
  return cv::imdecode(std::vector<unsigned char>(png.begin(), png.end()), cv::IMREAD_UNCHANGED);
}

}  // namespace

TEST_CASE("a mask's picture is white where anomalous") {
  const cv::Mat picture = decoded(evaluation::mask_png({0, 1, 0, 1, 1, 0}, 2, 3));
  REQUIRE(picture.type() == CV_8UC1);
  const cv::Mat expected = (cv::Mat_<unsigned char>(2, 3) << 0, 255, 0, 255, 255, 0);
  CHECK(cv::countNonZero(picture != expected) == 0);
}

TEST_CASE("a probability's picture keeps it to 1/65535, out of range values at the ends") {
  const std::vector<float> probability = {0.0F, 0.25F, 1.0F, 0.123456F, -3.0F, 7.0F};
  const cv::Mat picture = decoded(evaluation::probability_png(probability, 3, 2));
  REQUIRE(picture.type() == CV_16UC1);
  REQUIRE(picture.size() == cv::Size(2, 3));
  const double expected[6] = {0, 16384, 65535, 8091, 0, 65535};
  for (int i = 0; i < 6; ++i)
    CHECK(picture.at<std::uint16_t>(i / 2, i % 2) == expected[i]);
}

TEST_CASE("an overlay shows the image, red where predicted, with the truth's outline in green") {
  constexpr int kSize = 9;
  std::vector<float> image(3 * kSize * kSize, 0.2F);
  std::fill(image.begin(), image.begin() + kSize * kSize, 0.4F);  // red plane
  std::fill(image.end() - kSize * kSize, image.end(), 0.6F);      // blue plane
  std::vector<std::uint8_t> mask(kSize * kSize, 0);
  std::vector<std::uint8_t> truth(kSize * kSize, 0);
  mask[0] = 1;
  for (std::size_t y = 3; y < 8; ++y) {
    for (std::size_t x = 3; x < 8; ++x)
      truth[y * kSize + x] = 1;
  }
  const cv::Vec3b plain(153, 51, 102);
  const cv::Vec3b predicted(77, 26, 179);  // half, and half red: 76.5, 25.5, 51 + 127.5
  const cv::Vec3b outline(60, 230, 60);
  const cv::Mat bare = decoded(evaluation::overlay_png(image.data(), mask, {}, kSize, kSize));
  REQUIRE(bare.type() == CV_8UC3);
  const cv::Mat picture = decoded(evaluation::overlay_png(image.data(), mask, truth, kSize, kSize));
  for (int y = 0; y < kSize; ++y) {
    for (int x = 0; x < kSize; ++x) {
      const bool inside = y >= 3 && y < 8 && x >= 3 && x < 8;
      const bool edge = inside && (y == 3 || y == 7 || x == 3 || x == 7);
      const auto under = y == 0 && x == 0 ? predicted : plain;
      CHECK(cv::norm(bare.at<cv::Vec3b>(y, x), under, cv::NORM_INF) <= 1);
      CHECK(cv::norm(picture.at<cv::Vec3b>(y, x), edge ? outline : under, cv::NORM_INF) <= 1);
    }
  }
}

TEST_CASE("pictures need not be square") {
  const std::vector<float> image(3 * 4 * 6, 0.5F);
  const cv::Mat picture = decoded(
      evaluation::overlay_png(image.data(), std::vector<std::uint8_t>(24, 0), std::vector<std::uint8_t>(24, 1), 4, 6));
  CHECK(picture.size() == cv::Size(6, 4));
}
