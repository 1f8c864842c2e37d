// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "nbs/record/metric.h"

#include "chart_data.h"
#include "curve_points.h"
#include "folder_sections.h"
#include "html.h"

namespace nbs::report {

namespace {

using Json = nlohmann::ordered_json;

// Of all runs and curves together: some megabytes of text.
constexpr std::size_t kMostPointsOfAll = 400000;
constexpr std::size_t kMostPointsOfOne = 400;
constexpr std::size_t kFewestPoints = 16;

struct CurveMetric {
  const char* name;
  std::string title;
  bool may_be_logarithmic;
};

// What the reports of single runs draw, too.
const std::vector<CurveMetric>& curve_metrics() {
  static const auto kMetrics = [] {
    std::vector<CurveMetric> all;
    for (const auto& plot : record::metric_plots()) {
      for (const auto& metric : record::all_metrics()) {
        if (metric.plot != plot.plot || metric.value == nullptr) continue;
        const std::string title = plot.title;
        all.push_back({metric.name, title == metric.curve ? title : fmt::format("{}: {}", title, metric.curve),
                       plot.may_be_logarithmic});
      }
    }
    return all;
  }();
  return kMetrics;
}

Json curve_json(const std::vector<record::Point>& points) {
  if (points.empty()) return nullptr;
  Json x = Json::array();
  Json y = Json::array();
  for (const auto& point : points) {
    x.push_back(static_cast<std::int64_t>(point.x));
    y.push_back(brief_number(point.y));
  }
  return Json::array({std::move(x), std::move(y)});
}

}  // namespace

LearningCurves::LearningCurves(std::size_t runs)
    : most_points_(std::clamp(kMostPointsOfAll / std::max<std::size_t>(1, runs * curve_metrics().size()), kFewestPoints,
                              kMostPointsOfOne)) {
  runs_.reserve(runs);
}

void LearningCurves::add(const std::string& name, const record::Metrics& metrics) {
  auto& run = runs_.emplace_back();
  run.name = name;
  for (const auto& metric : curve_metrics()) {
    auto& points = run.curves.emplace_back();
    const auto* const curve = metrics.find(metric.name);
    if (curve == nullptr || curve->points.empty()) continue;
    const auto pieces = pieces_of(curve->points);
    for (const auto& piece : pieces) {
      const auto share = std::max<std::size_t>(2, most_points_ * piece.size() / curve->points.size());
      const auto kept = thinned(piece, share);
      points.insert(points.end(), kept.begin(), kept.end());
      if (points.size() > 2 * most_points_) break;  // a curve of nothing but gaps
    }
  }
}

bool LearningCurves::has(std::size_t run) const {
  const auto& curves = runs_.at(run).curves;
  return std::any_of(curves.begin(), curves.end(), [](const auto& curve) { return !curve.empty(); });
}

std::string LearningCurves::section(const std::vector<std::size_t>& first) const {
  // Only what some run has is offered.
  std::vector<std::size_t> offered;
  for (std::size_t m = 0; m < curve_metrics().size(); ++m) {
    if (std::any_of(runs_.begin(), runs_.end(), [m](const Run& run) { return !run.curves[m].empty(); }))
      offered.push_back(m);
  }
  if (offered.empty()) return {};
  Json json;
  std::vector<std::string> titles;
  auto& metrics = json["metrics"] = Json::array();
  for (const auto m : offered) {
    const auto& metric = curve_metrics()[m];
    metrics.push_back({{"title", metric.title}, {"logarithmic", metric.may_be_logarithmic}});
    titles.push_back(metric.title);
  }
  auto& runs = json["runs"] = Json::array();
  for (const auto& run : runs_) {
    Json curves = Json::array();
    for (const auto m : offered)
      curves.push_back(curve_json(run.curves[m]));
    runs.push_back({{"name", run.name}, {"curves", std::move(curves)}});
  }
  std::string chosen;
  for (const auto run : first)
    chosen += fmt::format("{}{}", chosen.empty() ? "" : " ", run);
  return fmt::format(
             "<h2>Learning curves</h2>\n<p class=\"soft\">Of the runs that are chosen in the table of runs. Drag to "
             "zoom, double-click to see all. Long curves show the lowest and the highest value of each stretch.</p>\n"
             "<noscript><p class=\"remark\">This chart needs scripts; each run's report has its "
             "curves.</p></noscript>\n"
             "<div id=\"learning\" data-metrics=\"{}\" data-first=\"{}\"></div>\n",
             escaped(Json(titles).dump()), chosen) +
         json_element(json, " id=\"curves\"");
}

}  // namespace nbs::report
