// SPDX-License-Identifier: Apache-2.0
#include "prediction.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <opencv2/imgproc.hpp>

#include "nbs/base/files.h"
#include "nbs/evaluation/pictures.h"
#include "nbs/evaluation/pixels.h"

namespace nbs::worker {

namespace {

constexpr std::size_t kOrdinaryBytes = 256U << 20U;
constexpr int kBand = 64;

// Where a pixel of the result lies between two of the source, as cv::INTER_LINEAR has it: centers of pixels on centers.
struct Between {
  int first = 0;
  int second = 0;
  float share = 0;  // of the second
};

std::vector<Between> places(int from_size, int to_size) {
  const double scale = static_cast<double>(from_size) / to_size;
  std::vector<Between> all(static_cast<std::size_t>(to_size));
  for (int to = 0; to < to_size; ++to) {
    const auto at = static_cast<float>((to + 0.5) * scale - 0.5);
    const auto first = static_cast<int>(std::floor(at));
    auto& place = all[static_cast<std::size_t>(to)];
    place.share = at - static_cast<float>(first);
    if (first < 0 || first >= from_size - 1) place.share = 0;
    place.first = std::clamp(first, 0, from_size - 1);
    place.second = std::min(place.first + 1, from_size - 1);
  }
  return all;
}

}  // namespace

void for_each_row(cv::Size size, const Rows& map, const std::function<void(int y, const float* values)>& visit) {
  for (int top = 0; top < size.height; top += kBand) {
    const int bottom = std::min(top + kBand, size.height);
    const cv::Mat band = map(top, bottom);
    for (int y = top; y < bottom; ++y)
      visit(y, band.ptr<float>(y - top));
  }
}

Rows resized_rows(const cv::Mat& map, cv::Size size) {
  if (static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height) * sizeof(float) <= kOrdinaryBytes) {
    cv::Mat whole = map;
    if (map.size() != size) cv::resize(map, whole, size, 0, 0, cv::INTER_LINEAR);
    return [whole](int begin, int end) { return whole.rowRange(begin, end); };
  }
  return [map, size, across = places(map.cols, size.width), down = places(map.rows, size.height)](int begin, int end) {
    cv::Mat band(end - begin, size.width, CV_32F);
    for (int y = begin; y < end; ++y) {
      const auto& row = down[static_cast<std::size_t>(y)];
      const auto* const above = map.ptr<float>(row.first);
      const auto* const below = map.ptr<float>(row.second);
      auto* const to = band.ptr<float>(y - begin);
      for (int x = 0; x < size.width; ++x) {
        const auto& place = across[static_cast<std::size_t>(x)];
        const float left = 1 - place.share;
        to[x] = (above[place.first] * left + above[place.second] * place.share) * (1 - row.share) +
                (below[place.first] * left + below[place.second] * place.share) * row.share;
      }
    }
    return band;
  };
}

std::vector<std::filesystem::path> prediction_files(const std::filesystem::path& folder, const std::string& stem) {
  return {folder / (stem + ".mask.png"), folder / (stem + ".probability.png"), folder / (stem + ".overlay.png")};
}

void write_prediction(const std::filesystem::path& folder, const std::string& stem, cv::Size size,
                      const Rows& probability, const Rows& colors, double threshold) {
  {
    cv::Mat mask(size, CV_8U);
    for_each_row(size, probability, [&](int y, const float* values) {
      std::transform(values, values + size.width, mask.ptr<std::uint8_t>(y),
                     [&](float value) { return mask_pixel(value, threshold); });
    });
    write_file(folder / (stem + ".mask.png"), evaluation::png_bytes(std::move(mask)));
  }
  {
    cv::Mat gray(size, CV_16U);
    for_each_row(size, probability, [&](int y, const float* values) {
      std::transform(values, values + size.width, gray.ptr<std::uint16_t>(y), evaluation::probability_pixel);
    });
    write_file(folder / (stem + ".probability.png"), evaluation::png_bytes(std::move(gray)));
  }
  cv::Mat overlay(size, CV_8UC3);
  cv::Mat band;
  int top = 0;
  for_each_row(size, probability, [&](int y, const float* values) {
    if (band.empty() || y >= top + band.rows) {
      top = y;
      band = colors(top, std::min(top + kBand, size.height));
    }
    const auto* const from = band.ptr<cv::Vec3f>(y - top);
    auto* const to = overlay.ptr<cv::Vec3b>(y);
    for (int x = 0; x < size.width; ++x) {
      for (int c = 0; c < 3; ++c)  // RGB to BGR
        to[x][c] = evaluation::overlay_pixel(from[x][2 - c], c == 2, values[x] >= threshold);
    }
  });
  band.release();
  write_file(folder / (stem + ".overlay.png"), evaluation::png_bytes(std::move(overlay)));
}

PredictionFiles::PredictionFiles(const std::filesystem::path& folder, const std::string& stem, cv::Size size,
                                 double threshold)
    : threshold_(threshold),
      mask_(folder / (stem + ".mask.png"), size.width, size.height, PngFile::Pixel::gray8),
      probability_(folder / (stem + ".probability.png"), size.width, size.height, PngFile::Pixel::gray16),
      overlay_(folder / (stem + ".overlay.png"), size.width, size.height, PngFile::Pixel::rgb8) {}

void PredictionFiles::add(const cv::Mat& probability, const cv::Mat& colors) {
  const auto width = static_cast<std::size_t>(probability.cols);
  std::vector<std::uint8_t> mask(width);
  std::vector<std::uint16_t> gray(width);
  std::vector<std::uint8_t> overlay(3 * width);
  for (int y = 0; y < probability.rows; ++y) {
    const auto* const values = probability.ptr<float>(y);
    const auto* const from = colors.ptr<cv::Vec3f>(y);
    for (std::size_t x = 0; x < width; ++x) {
      const bool predicted = values[x] >= threshold_;
      mask[x] = predicted ? 255 : 0;
      gray[x] = evaluation::probability_pixel(values[x]);
      for (int c = 0; c < 3; ++c)
        overlay[3 * x + static_cast<std::size_t>(c)] = evaluation::overlay_pixel(from[x][c], c == 0, predicted);
    }
    mask_.add_row(mask.data());
    probability_.add_row(gray.data());
    overlay_.add_row(overlay.data());
  }
}

void PredictionFiles::finish() {
  mask_.finish();
  probability_.finish();
  overlay_.finish();
}

}  // namespace nbs::worker
