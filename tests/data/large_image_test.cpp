// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "nbs/data/image.h"

#include "decode.h"
#include "error_text.h"
#include "fixtures.h"
#include "reduce.h"
#include "scratch.h"

using namespace nbs;

namespace {

double largest_difference(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_INF);
}

}  // namespace

TEST_CASE("reducing row by row gives what converting and resizing the whole gives, but for rounding") {
  for (const auto& extent : {cv::Size(64, 48), cv::Size(50, 17), cv::Size(16, 16), cv::Size(333, 97)}) {
    CAPTURE(extent.width);
    const cv::Mat color = test::color_picture(extent.height, extent.width);
    cv::Mat gray;
    cv::Mat deep;
    cv::Mat alpha;
    cv::cvtColor(color, gray, cv::COLOR_BGR2GRAY);
    cv::cvtColor(color, alpha, cv::COLOR_BGR2BGRA);
    color.convertTo(deep, CV_16U, 257);
    for (const auto& picture : {color, gray, deep, alpha}) {
      const cv::Mat whole = data::resize_image(data::as_color(picture), {16, 16});
      CHECK(largest_difference(data::reduce(picture, {16, 16}), whole) < 2e-6);
    }
  }
}

TEST_CASE("where one side is shorter than wanted, it is interpolated") {
  // Four columns to 16, and 64 rows to 16: as OpenCV's linear and area methods, one after the other.
  const cv::Mat picture = test::color_picture(64, 4);
  cv::Mat narrow;
  cv::Mat expected;
  cv::resize(data::as_color(picture), narrow, {4, 16}, 0, 0, cv::INTER_AREA);
  cv::resize(narrow, expected, {16, 16}, 0, 0, cv::INTER_LINEAR);
  CHECK(largest_difference(data::reduce(picture, {16, 16}), expected) < 2e-6);
}

TEST_CASE("a sample of more than 64 megapixels is reduced to its pattern") {
  const test::Scratch scratch;
  cv::Mat picture(8100, 8000, CV_8UC1, cv::Scalar(51));
  picture.rowRange(4050, 8100).setTo(204);
  data::Sample sample;
  sample.image = scratch / "a.pgm";
  test::write_picture(sample.image, picture);
  picture.release();
  const cv::Mat image = data::load_image(sample, test::options_for("folder", scratch.path()));
  REQUIRE(image.size() == cv::Size(16, 16));
  cv::Mat expected(16, 16, CV_32FC3, cv::Scalar(0.2, 0.2, 0.2));
  expected.rowRange(8, 16).setTo(cv::Scalar(0.8, 0.8, 0.8));
  CHECK(largest_difference(image, expected) < 1e-5);
}

TEST_CASE("a file of more than 32 MiB gives the same pixels and the same refusals") {
  const test::Scratch scratch;
  cv::Mat picture(3600, 3600, CV_8UC3);
  cv::RNG random(5);
  random.fill(picture, cv::RNG::UNIFORM, 0, 256);
  cv::imwrite((scratch / "a.png").string(), picture, {cv::IMWRITE_PNG_COMPRESSION, 0});
  const auto bytes = test::read_bytes(scratch / "a.png");
  REQUIRE(bytes.size() > std::size_t{33} << 20U);
  CHECK(cv::norm(data::read_stored_image(scratch / "a.png"), picture, cv::NORM_INF) == 0);
  test::write_bytes(scratch / "cut.png", bytes.substr(0, bytes.size() - 5000));
  CHECK(test::error_text([&] { data::read_stored_image(scratch / "cut.png"); }) == doctest::Contains("cut.png"));
  auto huge = bytes;
  huge[16] = 1;  // the first byte of the width: 2^24 and more
  test::write_bytes(scratch / "huge.png", huge);
  CHECK(test::error_text([&] { data::read_stored_image(scratch / "huge.png"); }) ==
        doctest::Contains("says that it has 16780816 x 3600 pixels"));
  test::write_bytes(scratch / "text.png", std::string(std::size_t{34} << 20U, 'x'));
  CHECK(test::error_text([&] { data::read_stored_image(scratch / "text.png"); }) ==
        doctest::Contains("is not an image that can be read"));
}
