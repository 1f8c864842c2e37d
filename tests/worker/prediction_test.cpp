// SPDX-License-Identifier: Apache-2.0
#include "prediction.h"

#include <doctest/doctest.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sys/resource.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
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
  const auto colors = random_map(150, 70, CV_32FC3);
  nbs::worker::write_prediction(scratch.path(), "a", map.size(), rows_of(map), rows_of(colors), 0.5);
  const std::vector<float> values(map.begin<float>(), map.end<float>());
  std::vector<std::uint8_t> mask;
  for (const float value : values)
    mask.push_back(value >= 0.5 ? 1 : 0);
  std::vector<cv::Mat> channels;
  cv::split(colors, channels);
  std::vector<float> planes;
  for (const auto& channel : channels)
    planes.insert(planes.end(), channel.begin<float>(), channel.end<float>());
  CHECK(nbs::read_file(scratch / "a.mask.png") == nbs::evaluation::mask_png(mask, 150, 70));
  CHECK(nbs::read_file(scratch / "a.probability.png") == nbs::evaluation::probability_png(values, 150, 70));
  CHECK(nbs::read_file(scratch / "a.overlay.png") == nbs::evaluation::overlay_png(planes.data(), mask, {}, 150, 70));
}

TEST_CASE("pictures written row by row show the same pixels") {
  const nbs::test::Scratch scratch;
  const auto map = random_map(150, 70);
  const auto colors = random_map(150, 70, CV_32FC3);
  nbs::worker::write_prediction(scratch.path(), "whole", map.size(), rows_of(map), rows_of(colors), 0.5);
  nbs::worker::PredictionFiles files(scratch.path(), "rows", map.size(), 0.5);
  for (const auto& [begin, end] : {std::pair(0, 1), std::pair(1, 90), std::pair(90, 150)})
    files.add(map.rowRange(begin, end), colors.rowRange(begin, end));
  CHECK_FALSE(std::filesystem::exists(scratch / "rows.mask.png"));
  files.finish();
  for (const std::string kind : {"mask", "probability", "overlay"}) {
    CAPTURE(kind);
    const auto whole = cv::imread((scratch / ("whole." + kind + ".png")).string(), cv::IMREAD_UNCHANGED);
    const auto rows = cv::imread((scratch / ("rows." + kind + ".png")).string(), cv::IMREAD_UNCHANGED);
    REQUIRE(whole.type() == rows.type());
    CHECK(cv::norm(whole, rows, cv::NORM_INF) == 0);
  }
}

TEST_CASE("a picture that cannot be written is named, and one that is given up leaves nothing behind") {
  const nbs::test::Scratch scratch;
  CHECK_THROWS_WITH_AS(nbs::worker::PredictionFiles(scratch / "no folder", "a", {4, 4}, 0.5),
                       doctest::Contains("no folder"), nbs::Error);
  const auto map = random_map(1, 4);
  {
    nbs::worker::PredictionFiles files(scratch.path(), "a", {4, 4}, 0.5);
    files.add(map, random_map(1, 4, CV_32FC3));
    CHECK_THROWS_AS(files.finish(), nbs::Error);  // three rows are missing
  }
  CHECK(std::filesystem::is_empty(scratch.path()));
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
