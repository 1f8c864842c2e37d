// SPDX-License-Identifier: Apache-2.0
#include "reduce.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "decode.h"

namespace nbs::data {

namespace {

// The share that the source's pixel `from` has in the pixel `to` of the result.
struct Tap {
  int from = 0;
  int to = 0;
  float weight = 0;
};

// Sorted by `from`. Weights of one `to` sum to 1.
std::vector<Tap> taps_between(int source, int result) {
  std::vector<Tap> taps;
  const double scale = static_cast<double>(source) / result;
  for (int to = 0; to < result; ++to) {
    if (source >= result) {
      // The part of [to, to + 1) * scale that lies in each pixel.
      const double begin = to * scale;
      const double end = std::min<double>(source, (to + 1) * scale);
      for (int from = static_cast<int>(begin); from < end; ++from) {
        const double part = std::min<double>(end, from + 1) - std::max<double>(begin, from);
        if (part > 0) taps.push_back({from, to, static_cast<float>(part / (end - begin))});
      }
    } else {
      const double place = std::clamp((to + 0.5) * scale - 0.5, 0.0, static_cast<double>(source - 1));
      const int below = static_cast<int>(place);
      const double share = place - below;
      taps.push_back({below, to, static_cast<float>(1 - share)});
      if (share > 0) taps.push_back({below + 1, to, static_cast<float>(share)});
    }
  }
  std::stable_sort(taps.begin(), taps.end(), [](const Tap& a, const Tap& b) { return a.from < b.from; });
  return taps;
}

}  // namespace

cv::Mat reduce(const cv::Mat& picture, PixelSize size) {
  const int height = static_cast<int>(size.height);
  const int width = static_cast<int>(size.width);
  const auto across = taps_between(picture.cols, width);
  const auto down = taps_between(picture.rows, height);
  cv::Mat result = cv::Mat::zeros(height, width, CV_32FC3);
  std::vector<cv::Vec3f> narrow(static_cast<std::size_t>(width));
  auto next = down.begin();
  for (int y = 0; y < picture.rows && next != down.end(); ++y) {
    if (next->from > y) continue;
    const cv::Mat row = as_color(picture.row(y));
    const auto* const pixels = row.ptr<cv::Vec3f>();
    std::fill(narrow.begin(), narrow.end(), cv::Vec3f());
    for (const auto& tap : across)
      narrow[static_cast<std::size_t>(tap.to)] += pixels[tap.from] * tap.weight;
    for (; next != down.end() && next->from == y; ++next) {
      auto* const to = result.ptr<cv::Vec3f>(next->to);
      for (int x = 0; x < width; ++x)
        to[x] += narrow[static_cast<std::size_t>(x)] * next->weight;
    }
  }
  return result;
}

}  // namespace nbs::data
