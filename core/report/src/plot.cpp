// SPDX-License-Identifier: Apache-2.0
#include "plot.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "axis.h"
#include "chart_data.h"
#include "curve_points.h"
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

std::string polyline(const Frame& frame, const PlotCurve& curve, bool reported) {
  std::string out;
  for (const auto& piece : pieces_of(curve.curve->points, reported)) {
    if (piece.empty()) continue;
    if (piece.size() == 1) {
      out += fmt::format("<circle class=\"d{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\"/>\n", curve.color % 2,
                         frame.across(piece[0].x), frame.down(piece[0].y));
      continue;
    }
    std::string points;
    for (const auto& point : thinned(piece, kMostPoints))
      points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", frame.across(point.x), frame.down(point.y));
    out += fmt::format("<polyline class=\"curve c{}{}\" points=\"{}\"/>\n", curve.color, curve.faint ? " faint" : "",
                       points);
  }
  return out;
}

std::string vertical(const Frame& frame, double x, const char* kind) {
  if (x < frame.x.low || x > frame.x.high) return {};
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\"/>\n", kind, frame.across(x),
                     frame.across(x), kTop, kHeight - kBottom);
}

// One piece of an area for each piece of its curve.
std::string band(const Frame& frame, const PlotBand& band, int color) {
  std::string out;
  const auto low = pieces_of(band.low->points);
  const auto high = pieces_of(band.high->points);
  for (std::size_t i = 0; i < std::min(low.size(), high.size()); ++i) {
    std::string points;
    const auto add = [&](const record::Point& point) {
      points += fmt::format("{}{:.1f},{:.1f}", points.empty() ? "" : " ", frame.across(point.x), frame.down(point.y));
    };
    std::for_each(low[i].begin(), low[i].end(), add);
    std::for_each(high[i].rbegin(), high[i].rend(), add);
    if (low[i].size() > 1) out += fmt::format("<polygon class=\"band d{}\" points=\"{}\"/>\n", color, points);
  }
  return out;
}

std::string dots(const Frame& frame, const PlotPoints& points) {
  std::string out;
  for (const auto& point : points.points->points) {
    if (!std::isfinite(point.x) || !std::isfinite(point.y) || (frame.logarithmic && point.y <= 0)) continue;
    out += fmt::format("<circle class=\"d{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>\n", points.color,
                       frame.across(point.x), frame.down(point.y));
  }
  return out;
}

// Names of steps that would run into each other are shortened.
std::string step_names(const Frame& frame, const std::vector<std::string>& steps) {
  std::string out;
  const auto room = static_cast<std::size_t>(
      std::max(3.0, (kWidth - kLeft - kRight) / 6.5 / static_cast<double>(std::max<std::size_t>(1, steps.size()))));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       frame.across(static_cast<double>(i)), kHeight - 6, escaped(shortened(steps[i], room)));
  }
  return out;
}

std::string axes(const Plot& plot, const Frame& frame) {
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
  if (!plot.steps.empty()) return out + step_names(frame, plot.steps);
  const auto across = round_ticks(frame.x.low, frame.x.high, 5);
  for (const double tick : across) {
    if (plot.whole && tick != std::floor(tick)) continue;  // there are no half iterations
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", frame.across(tick),
                       kHeight - 6, tick_text(tick, plot.whole ? 1 : across[1] - across[0]));
  }
  return out;
}

std::string caption(const Plot& plot) {
  std::string out = "<figcaption><b>" + escaped(plot.title) + "</b>";
  for (const auto& curve : plot.curves) {
    if (plot.curves.size() + plot.points.size() > 1)
      out += fmt::format(" <span class=\"key k{}\">{}</span>", curve.color, escaped(curve.name));
  }
  for (const auto& points : plot.points)
    out += fmt::format(" <span class=\"key dot k{}\">{}</span>", points.color, escaped(points.name));
  return out + "</figcaption>";
}

// Everything that the axes must reach.
Frame frame_of(const Plot& plot) {
  Frame frame;
  const auto add = [&](const record::Curve* curve) {
    for (const auto& point : curve->points) {
      if (!std::isfinite(point.x) || !std::isfinite(point.y)) continue;
      frame.x.add(point.x);
      frame.y.add(point.y);
    }
  };
  for (const auto& curve : plot.curves)
    add(curve.curve);
  for (const auto& points : plot.points)
    add(points.points);
  for (const auto& [curve, low, high] : plot.bands) {
    add(low);
    add(high);
  }
  if (frame.y.empty()) return frame;
  frame.logarithmic = plot.may_be_logarithmic && frame.y.low > 0 && frame.y.high >= 50 * frame.y.low &&
                      frame.y.high > kSmallestLogarithmic;
  frame.x.add(plot.first);
  frame.x.add(plot.last);
  for (const double value : plot.shown) {
    if (!frame.logarithmic || value > 0) frame.y.add(value);
  }
  if (!plot.steps.empty()) {
    frame.x.add(-0.5);
    frame.x.add(static_cast<double>(plot.steps.size()) - 0.5);
  }
  frame.x.make_visible();
  frame.y.make_visible();
  return frame;
}

}  // namespace

std::string draw(const Plot& plot) {
  const auto frame = frame_of(plot);
  if (frame.y.empty()) return {};
  std::string svg = fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}, over the {}\">\n", kWidth,
                                kHeight, escaped(plot.title), escaped(plot.over));
  svg += axes(plot, frame);
  for (const double tick : plot.ticks_at)
    svg += vertical(frame, tick, "tick");
  if (plot.best) svg += vertical(frame, *plot.best, "mark");
  for (const auto& own : plot.bands)
    svg += band(frame, own, plot.curves[own.curve].color);
  for (const auto& curve : plot.curves)
    svg += polyline(frame, curve, plot.whole);
  for (const auto& points : plot.points)
    svg += dots(frame, points);
  auto data = chart_data(plot, frame.logarithmic);
  data["window"] = {frame.x.low, frame.x.high};
  data["range"] = {frame.y.low, frame.y.high};
  return "<figure class=\"plot\">" + caption(plot) + svg + "</svg>" + json_element(data) + "</figure>\n";
}

}  // namespace nbs::report
