// SPDX-License-Identifier: Apache-2.0
#include "prediction.h"

#include <doctest/doctest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sys/resource.h>

#include "nbs/base/files.h"
#include "nbs/evaluation/pictures.h"

#include "scratch.h"

namespace {

cv::Mat random_map(int rows, int columns, int type = CV_32F) {
  cv::Mat map(rows, columns, type);
  cv::RNG random(7);
  random.fill(map, cv::RNG::UNIFORM, 0.0, 1.0);
  return map;
}

nbs::worker::Rows rows_of(const cv::Mat& whole) {
  return [whole](int begin, int end) { return whole.rowRange(begin, end); };
}

}  // namespace

TEST_CASE("pictures made in bands are those made whole, byte for byte") {
  const nbs::test::Scratch scratch;
  const auto map = random_map(150, 70);
  const auto colours = random_map(150, 70, CV_32FC3);
  nbs::worker::write_prediction(scratch.path(), "a", map.size(), rows_of(map), rows_of(colours), 0.5);
  const std::vector<float> values(map.begin<float>(), map.end<float>());
  std::vector<std::uint8_t> mask;
  for (const float value : values)
    mask.push_back(value >= 0.5 ? 1 : 0);
  std::vector<cv::Mat> channels;
  cv::split(colours, channels);
  std::vector<float> planes;
  for (const auto& channel : channels)
    planes.insert(planes.end(), channel.begin<float>(), channel.end<float>());
  CHECK(nbs::read_file(scratch / "a.mask.png") == nbs::evaluation::mask_png(mask, 150, 70));
  CHECK(nbs::read_file(scratch / "a.probability.png") == nbs::evaluation::probability_png(values, 150, 70));
  CHECK(nbs::read_file(scratch / "a.overlay.png") == nbs::evaluation::overlay_png(planes.data(), mask, {}, 150, 70));
}

TEST_CASE("a map is enlarged as OpenCV does it, whole or row by row") {
  const auto map = random_map(37, 53);
  for (const auto size : {cv::Size(211, 190), cv::Size(40, 20), cv::Size(53, 37), cv::Size(8300, 8200)}) {
    CAPTURE(size.width);
    cv::Mat expected;
    cv::resize(map, expected, size, 0, 0, cv::INTER_LINEAR);
    const auto rows = nbs::worker::resized_rows(map, size);
    double worst = 0;
    for (int top = 0; top < size.height; top += 100) {
      const int bottom = std::min(top + 100, size.height);
      const auto band = rows(top, bottom);
      REQUIRE(band.size() == cv::Size(size.width, bottom - top));
      worst = std::max(worst, cv::norm(band, expected.rowRange(top, bottom), cv::NORM_INF));
    }
    CHECK(worst <= (size.width < 8000 ? 0 : 1e-6));
  }
}
