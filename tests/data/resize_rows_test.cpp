// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <opencv2/core.hpp>

#include "nbs/data/image.h"

using namespace nbs;

TEST_CASE("a large image is shrunk a few rows at a time to what it would be whole") {
  cv::RNG random(3);
  // Just above and just below the size from which it is done so; neither side is a multiple of the result's.
  for (const auto& [rows, columns] : {std::pair(4801, 4733), std::pair(4801, 4500)}) {
    for (const int type : {CV_8UC1, CV_8UC3, CV_16UC4}) {
      CAPTURE(columns);
      CAPTURE(type);
      cv::Mat stored(rows, columns, type);
      random.fill(stored, cv::RNG::UNIFORM, 0, 65536);
      const auto whole = data::resize_image(data::rgb_of(stored), 100);
      const auto found = data::resize_stored(stored, 100);
      REQUIRE(found.size() == whole.size());
      REQUIRE(found.type() == CV_32FC3);
      CHECK(cv::norm(found, whole, cv::NORM_INF) <= (columns == 4500 ? 0 : 1e-6));
      if (type == CV_8UC1) {
        // And something independent of OpenCV: the mean is that of the image.
        CHECK(cv::mean(found)[0] == doctest::Approx(cv::mean(stored)[0] / 255).epsilon(1e-4));
      }
    }
  }
}
