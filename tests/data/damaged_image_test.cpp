// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "nbs/data/image.h"

#include "decode.h"
#include "error_text.h"
#include "fixtures.h"
#include "mutation.h"
#include "scratch.h"

using namespace nbs;
using doctest::Contains;

namespace {

const std::vector<std::string>& formats() {
  static const std::vector<std::string> kFormats = {"png", "jpg", "bmp", "tif", "webp", "jp2", "ppm", "pgm"};
  return kFormats;
}

// The bytes of a picture of 61 rows and 83 columns in the format.
std::string picture_in(const test::Scratch& scratch, const std::string& format) {
  cv::Mat picture = test::color_picture(61, 83);
  if (format == "pgm") cv::cvtColor(picture, picture, cv::COLOR_BGR2GRAY);
  test::write_picture(scratch / ("whole." + format), picture);
  return test::read_bytes(scratch / ("whole." + format));
}

}  // namespace

TEST_CASE("the head of an image tells its size, in every format") {
  const test::Scratch scratch;
  for (const auto& format : formats()) {
    CAPTURE(format);
    const auto size = data::stated_size(picture_in(scratch, format));
    REQUIRE(size.has_value());
    CHECK(size->width == 83);
    CHECK(size->height == 61);
  }
  CHECK(!data::stated_size("no image at all"));
  CHECK(!data::stated_size(""));
}

TEST_CASE("heads that this machine's encoders do not write tell their size too") {
  // A JPEG file whose Huffman tables come before its frame.
  const std::string jpeg("\xFF\xD8\xFF\xC4\0\x07\x01\x02\x03\x04\x05\xFF\xC0\0\x11\x08\0\x3D\0\x53\x03\0\0\0\0\0\0",
                         27);
  // A TIFF file of the other byte order: the width has 16 bits, the height 32.
  const std::string tiff = std::string("MM\0\x2A\0\0\0\x08\0\x02", 10) +
                           std::string("\x01\0\0\x03\0\0\0\x01\0\x53\0\0", 12) +
                           std::string("\x01\x01\0\x04\0\0\0\x01\0\0\0\x3D", 12);
  for (const auto& head : {jpeg, tiff}) {
    const auto size = data::stated_size(head);
    REQUIRE(size.has_value());
    CHECK(size->width == 83);
    CHECK(size->height == 61);
  }
}

TEST_CASE("a small file that claims billions of pixels is refused with the sizes, before it is decoded") {
  const test::Scratch scratch;
  const auto word = [](std::uint32_t value) {
    std::string bytes;
    for (const int shift : {24, 16, 8, 0})
      bytes += static_cast<char>(value >> shift & 255U);
    return bytes;
  };
  const auto reversed = [](std::string bytes) { return std::string(bytes.rbegin(), bytes.rend()); };
  auto png = picture_in(scratch, "png");
  png.replace(16, 8, word(100000) + word(100000));
  test::write_bytes(scratch / "a.png", png);
  CHECK(test::error_text([&] { data::read_image(scratch / "a.png"); }) ==
        Contains("says that it has 100000 x 100000 pixels; at most 268435456 can be read"));
  CHECK(test::error_text([&] { data::read_mask_image(scratch / "a.png"); }) == Contains("100000 x 100000"));
  auto bmp = picture_in(scratch, "bmp");
  bmp.replace(18, 8, reversed(word(60000)) + reversed(word(60000)));
  test::write_bytes(scratch / "a.bmp", bmp);
  CHECK(test::error_text([&] { data::read_image(scratch / "a.bmp"); }) == Contains("60000 x 60000"));
  auto jpeg = picture_in(scratch, "jpg");
  const auto frame = jpeg.find("\xFF\xC0");
  REQUIRE(frame != std::string::npos);
  jpeg.replace(frame + 5, 4, "\xFF\xFF\xFF\xFF");
  test::write_bytes(scratch / "a.jpg", jpeg);
  CHECK(test::error_text([&] { data::read_image(scratch / "a.jpg"); }) == Contains("65535 x 65535"));
  test::write_bytes(scratch / "a.pgm", "P5 99999 99999 255\n");
  CHECK(test::error_text([&] { data::read_image(scratch / "a.pgm"); }) == Contains("99999 x 99999"));
}

TEST_CASE("mutated images are read to numbers in [0, 1] or refused by name, never more") {
  const test::Scratch scratch;
  for (const auto& format : formats()) {
    CAPTURE(format);
    const auto whole = picture_in(scratch, format);
    const auto file = scratch / ("mutated." + format);
    for (std::int64_t k = 0; k < test::mutations(150); ++k) {
      CAPTURE(k);
      // Half of the mutations hit the head, where it matters.
      const std::size_t head = k % 2 == 0 ? whole.size() : std::min<std::size_t>(whole.size(), 80);
      test::write_bytes(file, test::mutated(whole.substr(0, head), static_cast<std::uint64_t>(k)) + whole.substr(head));
      try {
        const cv::Mat image = data::read_image(file);
        REQUIRE(image.type() == CV_32FC3);
        REQUIRE(cv::checkRange(image, true, nullptr, 0, 1.0000001));
      } catch (const Error& error) {
        REQUIRE(std::string(error.what()).find("mutated.") != std::string::npos);
      }
    }
  }
}

TEST_CASE("values that are not finite are refused with their place; numbers with a sign too") {
  const test::Scratch scratch;
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    cv::Mat real(3, 5, CV_32FC1, cv::Scalar(0.5));
    real.at<float>(2, 1) = bad;
    test::write_picture(scratch / "a.tif", real);
    CHECK(test::error_text([&] { data::read_image(scratch / "a.tif"); }) ==
          Contains("holds a value that is not finite, at row 2, column 1"));
  }
}
