// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/map.h"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>
#include <opencv2/core.hpp>

#include "nbs/data/npy.h"

#include "error_text.h"
#include "fixtures.h"
#include "scratch.h"

using namespace nbs;
using doctest::Approx;
using doctest::Contains;

TEST_CASE("a map is read from .npy, grey and floating pictures to the same numbers") {
  const test::Scratch scratch;
  scratch.write("a.npy", data::npy_bytes({0.0F, 0.2F, 1.0F, 0.2F, 0.2F, 0.2F}, {2, 3}));
  const cv::Mat values = (cv::Mat_<float>(2, 3) << 0, 0.2, 1, 0.2, 0.2, 0.2);
  cv::Mat bytes;
  cv::Mat words;
  cv::Mat colour;
  values.convertTo(bytes, CV_8U, 255);
  values.convertTo(words, CV_16U, 65535);
  cv::merge(std::vector<cv::Mat>{bytes, bytes, bytes}, colour);
  test::write_picture(scratch / "a.png", bytes);
  test::write_picture(scratch / "b.png", words);
  test::write_picture(scratch / "c.png", colour);
  test::write_picture(scratch / "d.tif", values);
  for (const char* name : {"a.npy", "a.png", "b.png", "c.png", "d.tif"}) {
    CAPTURE(name);
    const cv::Mat map = data::read_probability_map(scratch / name);
    REQUIRE(map.type() == CV_32FC1);
    REQUIRE(map.size() == cv::Size(3, 2));
    CHECK(map.at<float>(0, 1) == Approx(0.2).epsilon(1e-4));
    CHECK(map.at<float>(0, 2) == 1.0F);
  }
}

TEST_CASE("a map that holds no probability is blamed itself, with the place of the first such value") {
  const test::Scratch scratch;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {nan, -1e-6F, 1.0001F, std::numeric_limits<float>::infinity(), -7.0F}) {
    CAPTURE(bad);
    const auto file = scratch.write("a.npy", data::npy_bytes({0.0F, 0.5F, 1.0F, 0.25F, bad, nan}, {2, 3}));
    const auto sentence = test::error_text([&] { data::read_probability_map(file); });
    CHECK(sentence == Contains(("the map " + file.string() + " holds ").c_str()));
    CHECK(sentence == Contains("at row 1, column 1 (from 0), but a probability is a number from 0 to 1"));
  }
  // Not clamped, as the values of an image are.
  test::write_picture(scratch / "a.tif", cv::Mat(2, 2, CV_32FC1, cv::Scalar(7.5)));
  CHECK(test::error_text([&] { data::read_probability_map(scratch / "a.tif"); }) == Contains("holds 7.5 at row 0"));
}

TEST_CASE("a map of another rank, or a coloured picture, is refused") {
  const test::Scratch scratch;
  const auto file = scratch.write("a.npy", data::npy_bytes({0, 0, 0, 0}, {1, 2, 2}));
  CHECK(test::error_text([&] { data::read_probability_map(file); }) == Contains("a.npy has 3 dimensions"));
  test::write_picture(scratch / "a.png", test::colour_picture(4, 4));
  CHECK(test::error_text([&] { data::read_probability_map(scratch / "a.png"); }) ==
        Contains("a.png is a coloured picture, but a probability map is grey"));
}
