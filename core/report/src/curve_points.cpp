// SPDX-License-Identifier: Apache-2.0
#include "curve_points.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nbs::report {

std::vector<record::Point> thinned(const std::vector<record::Point>& points, std::size_t most) {
  if (points.size() <= most) return points;
  std::vector<record::Point> kept;
  const std::size_t stretches = std::max<std::size_t>(1, most / 2);
  for (std::size_t k = 0; k < stretches; ++k) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(k * points.size() / stretches);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>((k + 1) * points.size() / stretches);
    const auto [low, high] =
        std::minmax_element(begin, end, [](const record::Point& a, const record::Point& b) { return a.y < b.y; });
    kept.push_back(low < high ? *low : *high);
    if (low != high) kept.push_back(low < high ? *high : *low);
  }
  return kept;
}

std::vector<std::vector<record::Point>> pieces_of(const std::vector<record::Point>& points, bool reported) {
  double step = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < points.size(); ++i)
    step = std::min(step, points[i].x - points[i - 1].x);
  std::vector<std::vector<record::Point>> pieces(1);
  for (const auto& point : points) {
    auto& piece = pieces.back();
    const bool late = reported && !piece.empty() && point.x - piece.back().x > 1.5 * step;
    const bool drawable = std::isfinite(point.x) && std::isfinite(point.y);
    if (!piece.empty() && (late || !drawable)) pieces.emplace_back();
    if (drawable) pieces.back().push_back(point);
  }
  return pieces;
}

}  // namespace nbs::report
