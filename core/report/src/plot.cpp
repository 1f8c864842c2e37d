// SPDX-License-Identifier: Apache-2.0
#include "plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "axis.h"
#include "html.h"

namespace nbs::report {

namespace {

// The drawing's own units; the page scales it.
constexpr double kWidth = 420;
constexpr double kHeight = 210;
constexpr double kLeft = 50;
constexpr double kRight = 10;
constexpr double kTop = 8;
constexpr double kBottom = 22;
constexpr std::size_t kMostPoints = 800;
// A range below this one is drawn as a constant, around 0.
constexpr double kSmallestLogarithmic = 1e-290;

struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  void make_visible() {
    const auto visible = visible_range(low, high);
    low = visible.low;
    high = visible.high;
  }
};

// From data to drawing units.
struct Frame {
  Range x;
  Range y;
  bool logarithmic = false;

  double across(double value) const { return kLeft + share_of(value, x.low, x.high) * (kWidth - kLeft - kRight); }
  double down(double value) const {
    const double share =
        logarithmic ? share_of(std::log(value), std::log(y.low), std::log(y.high)) : share_of(value, y.low, y.high);
    return kTop + (1 - share) * (kHeight - kTop - kBottom);
  }
};

// Long curves keep the lowest and the highest value of each stretch, so that no peak is lost.
std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() <= kMostPoints) return points;
  std::vector<Point> kept;
  const std::size_t stretches = kMostPoints / 2;
  for (std::size_t k = 0; k < stretches; ++k) {
    const auto begin = points.begin() + static_cast<std::ptrdiff_t>(k * points.size() / stretches);
    const auto end = points.begin() + static_cast<std::ptrdiff_t>((k + 1) * points.size() / stretches);
    const auto [low, high] = std::minmax_element(begin, end, [](const Point& a, const Point& b) { return a.y < b.y; });
    kept.push_back(low < high ? *low : *high);
    if (low != high) kept.push_back(low < high ? *high : *low);
  }
  return kept;
}

// A curve is broken where it is not finite, and where it was not reported for a while.
std::vector<std::vector<Point>> without_gaps(const std::vector<Point>& points) {
  double step = std::numeric_limits<double>::infinity();
  for (std::size_t i = 1; i < points.size(); ++i)
    step = std::min(step, points[i].x - points[i - 1].x);
  std::vector<std::vector<Point>> pieces(1);
  for (const auto& point : points) {
    auto& piece = pieces.back();
    const bool late = !piece.empty() && point.x - piece.back().x > 1.5 * step;
    const bool drawable = std::isfinite(point.x) && std::isfinite(point.y);
    if (!piece.empty() && (late || !drawable)) pieces.emplace_back();
    if (drawable) pieces.back().push_back(point);
  }
  return pieces;
}

std::string polyline(const Frame& frame, const PlotCurve& curve) {
  std::string out;
  for (const auto& piece : without_gaps(curve.curve->points)) {
    if (piece.empty()) continue;
    if (piece.size() == 1) {
      out += fmt::format("<circle class=\"d{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\"/>\n", curve.colour % 2,
                         frame.across(piece[0].x), frame.down(piece[0].y));
      continue;
    }
    std::string points;
    for (const auto& point : thinned(piece))
      points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", frame.across(point.x), frame.down(point.y));
    out += fmt::format("<polyline class=\"curve c{}{}\" points=\"{}\"/>\n", curve.colour, curve.faint ? " faint" : "",
                       points);
  }
  return out;
}

std::string vertical(const Frame& frame, double x, const char* kind) {
  if (x < frame.x.low || x > frame.x.high) return {};
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\"/>\n", kind, frame.across(x),
                     frame.across(x), kTop, kHeight - kBottom);
}

std::string axes(const Frame& frame) {
  std::string out;
  const auto ticks =
      frame.logarithmic ? logarithmic_ticks(frame.y.low, frame.y.high) : round_ticks(frame.y.low, frame.y.high, 4);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : frame.y.high / 2 - frame.y.low / 2;
  for (const double tick : ticks) {
    out += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft, kWidth - kRight,
                       frame.down(tick), frame.down(tick));
    out += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", kLeft - 6, frame.down(tick) + 4,
                       tick_text(tick, frame.logarithmic ? tick : step));
  }
  for (const double tick : round_ticks(frame.x.low, frame.x.high, 5)) {
    if (tick != std::floor(tick)) continue;  // there are no half iterations
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", frame.across(tick),
                       kHeight - 6, tick_text(tick, 1));
  }
  return out;
}

std::string caption(const Plot& plot) {
  std::string out = "<figcaption><b>" + escaped(plot.title) + "</b>";
  for (const auto& curve : plot.curves) {
    if (plot.curves.size() > 1)
      out += fmt::format(" <span class=\"key k{}\">{}</span>", curve.colour, escaped(curve.name));
  }
  return out + "</figcaption>";
}

}  // namespace

std::string draw(const Plot& plot) {
  Frame frame;
  for (const auto& curve : plot.curves) {
    for (const auto& point : curve.curve->points) {
      if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
      frame.x.add(point.x);
      frame.y.add(point.y);
    }
  }
  if (frame.y.empty()) return {};
  frame.logarithmic = plot.may_be_logarithmic && frame.y.low > 0 && frame.y.high >= 50 * frame.y.low &&
                      frame.y.high > kSmallestLogarithmic;
  frame.x.add(0);
  frame.x.add(plot.last);
  for (const double value : plot.shown) {
    if (!frame.logarithmic || value > 0) frame.y.add(value);
  }
  frame.x.make_visible();
  frame.y.make_visible();
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}, over the iterations\">\n",
                                kWidth, kHeight, escaped(plot.title));
  svg += axes(frame);
  for (const double tick : plot.ticks_at)
    svg += vertical(frame, tick, "tick");
  if (plot.best) svg += vertical(frame, *plot.best, "mark");
  for (const auto& curve : plot.curves)
    svg += polyline(frame, curve);
  return "<figure class=\"plot\">" + caption(plot) + svg + "</svg></figure>\n";
}

}  // namespace nbs::report
