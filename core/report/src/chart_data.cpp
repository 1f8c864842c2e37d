// SPDX-License-Identifier: Apache-2.0
#include "chart_data.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

#include <fmt/format.h>

#include "curve_points.h"

namespace nbs::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostChartPoints = 800;

// The rows of a chart: an x, and of each curve a value, if it has one there. null joins a curve over it, "NaN" breaks
// it: JSON has no such number.
class Rows {
 public:
  explicit Rows(std::size_t columns) : columns_(columns) {}
  /// In one row with the other curves' values at this x.
  void set(double x, std::size_t column, Json value) {
    auto& row = rows_[x];
    row.resize(columns_);
    row[column] = std::move(value);
  }
  /// In a row of its own: one curve may have several points at an x.
  void add(double x, std::size_t column, Json value) {
    std::vector<Json> row(columns_);
    row[column] = std::move(value);
    points_.emplace(x, std::move(row));
  }
  Json json() const {
    Json all = Json::array();
    auto points = points_;
    points.insert(rows_.begin(), rows_.end());
    for (const auto& [x, values] : points) {
      Json row = Json::array({brief_x(x)});
      for (const auto& value : values)
        row.push_back(value);
      all.push_back(std::move(row));
    }
    return all;
  }

 private:
  // Iterations are whole, and all of their digits count.
  static Json brief_x(double x) {
    if (x == std::floor(x) && std::abs(x) < 1e15) return static_cast<std::int64_t>(x);
    return std::strtod(fmt::format("{:.6g}", x).c_str(), nullptr);
  }
  std::size_t columns_;
  std::map<double, std::vector<Json>> rows_;
  std::multimap<double, std::vector<Json>> points_;
};

void add_curve(Rows& rows, const record::Curve& curve, std::size_t column, bool reported) {
  const record::Point* last = nullptr;
  const auto pieces = pieces_of(curve.points, reported);
  for (const auto& piece : pieces) {
    if (piece.empty()) continue;
    if (last != nullptr) rows.set(last->x / 2 + piece.front().x / 2, column, "NaN");
    for (const auto& point : thinned(piece, kMostChartPoints))
      rows.set(point.x, column, brief_number(point.y));
    last = &piece.back();
  }
}

const PlotBand* band_of(const Plot& plot, std::size_t curve) {
  for (const auto& band : plot.bands) {
    if (band.curve == curve) return &band;
  }
  return nullptr;
}

// A value with the ends of its band, if the chart has bands at all.
Json with_band(const Plot& plot, std::size_t curve, std::size_t point, double y) {
  if (plot.bands.empty()) return brief_number(y);
  const auto* const band = band_of(plot, curve);
  const auto end = [&](const record::Curve* other) {
    return other != nullptr && point < other->points.size() ? other->points[point].y : y;
  };
  if (band == nullptr) return Json::array({brief_number(y), brief_number(y), brief_number(y)});
  return Json::array({brief_number(end(band->low)), brief_number(y), brief_number(end(band->high))});
}

}  // namespace

std::string json_element(const Json& json, const std::string& attributes) {
  const auto text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    // In JSON it can only stand in a text, where it may be written like this.
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return "<script type=\"application/json\"" + attributes + ">" + safe + "</script>\n";
}

Json brief_number(double value) {
  if (!std::isfinite(value)) return nullptr;
  return std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr);
}

Json chart_data(const Plot& plot, bool logarithmic) {
  Rows rows(plot.curves.size() + plot.points.size());
  Json curves = Json::array();
  for (std::size_t i = 0; i < plot.curves.size(); ++i) {
    const auto& curve = plot.curves[i];
    const auto& points = curve.curve->points;
    // A band's ends belong to points, so these are not thinned.
    if (plot.bands.empty()) {
      add_curve(rows, *curve.curve, i, plot.whole);
    } else {
      for (std::size_t k = 0; k < points.size(); ++k) {
        if (!std::isfinite(points[k].x)) continue;
        rows.set(points[k].x, i, with_band(plot, i, k, points[k].y));
      }
    }
    Json own = {{"name", curve.name}, {"color", curve.color}};
    if (curve.faint) own["dash"] = 2;
    curves.push_back(std::move(own));
  }
  for (std::size_t i = 0; i < plot.points.size(); ++i) {
    const auto& points = plot.points[i];
    for (const auto& point : points.points->points) {
      if (std::isfinite(point.x)) rows.add(point.x, plot.curves.size() + i, brief_number(point.y));
    }
    curves.push_back({{"name", points.name}, {"color", points.color}, {"points", true}});
  }
  Json json = {{"curves", std::move(curves)}, {"rows", rows.json()}};
  if (!plot.bands.empty()) json["bars"] = true;
  if (logarithmic) json["logarithmic"] = true;
  if (!plot.steps.empty()) json["steps"] = plot.steps;
  auto& marks = json["marks"] = Json::array();
  for (const double tick : plot.ticks_at)
    marks.push_back({{"x", tick}});
  if (plot.best) marks.push_back({{"x", *plot.best}, {"strong", true}});
  return json;
}

}  // namespace nbs::report
