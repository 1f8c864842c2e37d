// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "nbs/data/image.h"

namespace nbs::data {

namespace {

constexpr std::size_t kOrdinaryBytes = 256U << 20U;
constexpr int kBand = 64;

// The share that a source pixel (or row) has of a pixel of the result.
struct Share {
  int to;
  int from;
  float weight;
};

// The cells of one axis, as cv::INTER_AREA has them: each pixel of the result is the mean over `scale` source pixels,
// those at the ends in part. In order of `from`, for each `to`.
std::vector<Share> area_shares(int from_size, int to_size) {
  const double scale = static_cast<double>(from_size) / to_size;
  std::vector<Share> shares;
  for (int to = 0; to < to_size; ++to) {
    const double begin = to * scale;
    const double end = begin + scale;
    const double cell = std::min(scale, from_size - begin);
    const int last = std::min(static_cast<int>(std::floor(end)), from_size - 1);
    const int first = std::min(static_cast<int>(std::ceil(begin)), last);
    if (first - begin > 1e-3) shares.push_back({to, first - 1, static_cast<float>((first - begin) / cell)});
    for (int from = first; from < last; ++from)
      shares.push_back({to, from, static_cast<float>(1 / cell)});
    if (end - last > 1e-3) shares.push_back({to, last, static_cast<float>(std::min({end - last, 1.0, cell}) / cell)});
  }
  return shares;
}

cv::Mat shrink_by_rows(const cv::Mat& stored, int size) {
  const auto across = area_shares(stored.cols, size);
  const auto down = area_shares(stored.rows, size);
  cv::Mat result = cv::Mat::zeros(size, size, CV_32FC3);
  std::vector<cv::Vec3f> row(static_cast<std::size_t>(size));
  std::size_t next = 0;
  for (int top = 0; top < stored.rows; top += kBand) {
    const cv::Mat band = rgb_of(stored.rowRange(top, std::min(top + kBand, stored.rows)));
    for (int y = 0; y < band.rows; ++y) {
      std::fill(row.begin(), row.end(), cv::Vec3f());
      const auto* const pixels = band.ptr<cv::Vec3f>(y);
      for (const auto& share : across)
        row[static_cast<std::size_t>(share.to)] += pixels[share.from] * share.weight;
      // A row has a share in one or two rows of the result.
      for (; next < down.size() && down[next].from == top + y; ++next) {
        auto* const to = result.ptr<cv::Vec3f>(down[next].to);
        for (int x = 0; x < size; ++x)
          to[x] += row[static_cast<std::size_t>(x)] * down[next].weight;
      }
    }
  }
  return result;
}

}  // namespace

cv::Mat resize_stored(const cv::Mat& stored, std::int64_t size) {
  const bool shrinks = stored.rows >= size && stored.cols >= size;
  if (stored.total() * sizeof(cv::Vec3f) <= kOrdinaryBytes || !shrinks) return resize_image(rgb_of(stored), size);
  return shrink_by_rows(stored, static_cast<int>(size));
}

}  // namespace nbs::data
