// SPDX-License-Identifier: Apache-2.0
#include "heat_map.h"

#include <cstdint>

#include <doctest/doctest.h>
#include <opencv2/imgcodecs.hpp>

using namespace nbs::report;

namespace {

// By another reader of base64 and PNG than our own writer.
cv::Mat decoded(const std::string& address) {
  const std::string head = "data:image/png;base64,";
  REQUIRE(address.rfind(head, 0) == 0);
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  std::uint32_t bits = 0;
  int count = 0;
  CHECK((address.size() - head.size()) % 4 == 0);
  for (std::size_t i = head.size(); i < address.size() && address[i] != '='; ++i) {
    const auto digit = digits.find(address[i]);
    REQUIRE(digit != std::string::npos);
    bits = bits << 6U | static_cast<std::uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes.push_back(static_cast<std::uint8_t>(bits >> static_cast<unsigned>(count) & 0xFFU));
  }
  return cv::imdecode(bytes, cv::IMREAD_COLOR);
}

double lightness(const cv::Vec3b& color) {
  return 0.114 * color[0] + 0.587 * color[1] + 0.299 * color[2];
}

}  // namespace

TEST_CASE("a heat map is a picture of its values: dark for 0, bright for the largest, brighter for more") {
  for (const std::int64_t side : {1, 2, 5, 32}) {
    CAPTURE(side);
    std::vector<double> values;
    for (std::int64_t i = 0; i < side * side; ++i)
      values.push_back(0.25 * static_cast<double>(i) / static_cast<double>(side * side));
    const auto picture = decoded(heat_map(values, side, 0.25));
    REQUIRE(picture.rows == side);
    REQUIRE(picture.cols == side);
    CHECK(picture.at<cv::Vec3b>(0, 0) == cv::Vec3b(84, 1, 68));
    for (int i = 1; i < side * side; ++i) {
      const auto& now = picture.at<cv::Vec3b>(i / static_cast<int>(side), i % static_cast<int>(side));
      const auto& before = picture.at<cv::Vec3b>((i - 1) / static_cast<int>(side), (i - 1) % static_cast<int>(side));
      CHECK(lightness(now) >= lightness(before) - 1e-9);
    }
  }
}

TEST_CASE("values beyond the range take its ends") {
  const auto picture = decoded(heat_map({-5, 0.5, 1, 1e300}, 2, 1));
  CHECK(picture.at<cv::Vec3b>(0, 0) == cv::Vec3b(84, 1, 68));
  CHECK(picture.at<cv::Vec3b>(1, 0) == cv::Vec3b(37, 231, 253));
  CHECK(picture.at<cv::Vec3b>(1, 1) == cv::Vec3b(37, 231, 253));
  CHECK(heat_gradient().rfind("linear-gradient(to right, rgb(68, 1, 84), ", 0) == 0);
}
