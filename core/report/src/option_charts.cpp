// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <set>

#include <fmt/format.h>

#include "folder_sections.h"
#include "html.h"
#include "numbers.h"
#include "plot.h"

namespace nbs::report {

namespace {

constexpr std::size_t kMostCharts = 24;
constexpr std::size_t kMostNamedSteps = 16;  // that have room for their names
constexpr std::size_t kMostDatasets = 4;     // colors

using F1ByValue = std::map<std::string, std::vector<double>>;

std::optional<double> number_of(const RunRecord& run, const std::string& option) {
  const Value* value = run.option(option);
  if (value == nullptr) return std::nullopt;
  if (const auto* integer = std::get_if<std::int64_t>(value)) return static_cast<double>(*integer);
  if (const auto* real = std::get_if<double>(value)) return *real;
  return std::nullopt;
}

std::vector<const RunRecord*> scored_runs(const std::vector<const Group*>& groups) {
  std::vector<const RunRecord*> runs;
  for (const Group* group : groups) {
    for (const RunRecord* run : group->counted) {
      if (run->score(record::Score::f1)) runs.push_back(run);
    }
  }
  return runs;
}

// Where each value of an option lies on the axis.
struct Places {
  std::map<std::string, double> at;  // by the value's text
  std::vector<std::string> steps;    // names of 0, 1, 2, …; none if the axis is one of numbers
};

// A few values are steps of equal width, whatever they are: 1, 10, 100 are as far apart as people mean them to be. Many
// numbers have an axis of numbers. Many words have no chart.
std::optional<Places> places_of(const std::vector<const RunRecord*>& runs, const std::string& option) {
  std::map<std::string, std::optional<double>> values;
  for (const RunRecord* run : runs) {
    if (run->option(option) != nullptr) values[option_text(*run, option)] = number_of(*run, option);
  }
  if (values.size() < 2) return std::nullopt;
  const bool numbers = std::all_of(values.begin(), values.end(),
                                   [](const auto& value) { return value.second && std::isfinite(*value.second); });
  Places places;
  if (values.size() > kMostNamedSteps) {
    if (!numbers) return std::nullopt;
    for (const auto& [text, number] : values)
      places.at[text] = *number;
    return places;
  }
  std::vector<std::pair<std::string, std::optional<double>>> order(values.begin(), values.end());
  if (numbers) {
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return *a.second < *b.second; });
  }
  for (const auto& [text, number] : order) {
    places.at[text] = static_cast<double>(places.steps.size());
    places.steps.push_back(text);
  }
  return places;
}

std::string option_chart(const std::vector<const RunRecord*>& runs, const std::string& option,
                         const std::vector<std::string>& datasets) {
  const auto places = places_of(runs, option);
  if (!places) return {};
  Plot plot;
  plot.title = option;
  plot.over = "values of " + option;
  plot.whole = false;
  plot.steps = places->steps;
  plot.first = plot.last = places->at.begin()->second;
  std::deque<record::Curve> curves;  // which the plot points to
  for (std::size_t d = 0; d < datasets.size(); ++d) {
    std::map<double, std::vector<double>> by_place;
    auto& points = curves.emplace_back();
    for (const RunRecord* run : runs) {
      if (run->dataset != datasets[d] || run->option(option) == nullptr) continue;
      const double x = places->at.at(option_text(*run, option));
      const double f1 = std::clamp(*run->score(record::Score::f1), 0.0, 1.0);
      by_place[x].push_back(f1);
      points.points.push_back({x, f1});
    }
    auto& means = curves.emplace_back();
    for (const auto& [x, values] : by_place)
      means.points.push_back({x, statistic(values)->mean});
    if (means.points.empty()) continue;
    const auto color = static_cast<int>(d % kMostDatasets);
    const auto name = datasets.size() > 1 && !datasets[d].empty() ? datasets[d] + ": " : std::string();
    plot.curves.push_back({name + "mean", &means, color, false});
    plot.points.push_back({name + "runs", &points, color});
  }
  return draw(plot);
}

}  // namespace

std::string option_charts(const std::vector<const Group*>& groups) {
  const auto runs = scored_runs(groups);
  std::set<std::string> names;
  for (const RunRecord* run : runs)
    names.insert(run->dataset);
  const std::vector<std::string> datasets(names.begin(), names.end());
  std::string charts;
  std::size_t count = 0;
  std::size_t left_out = 0;
  const auto options = telling_options(runs);
  for (const auto& option : options) {
    if (count == kMostCharts || datasets.size() > 3 * kMostDatasets) {
      ++left_out;
      continue;
    }
    const auto chart = option_chart(runs, option, datasets);
    if (chart.empty()) {
      ++left_out;
    } else {
      ++count;
    }
    charts += chart;
  }
  if (charts.empty()) return {};
  std::string remark;
  if (options.size() > 1) {
    remark =
        " Where other options differ, too, the mean is over all of their values, so compare only what was run with the "
        "same ones.";
  }
  if (left_out > 0) remark += fmt::format(" {} more options that differ have no chart.", left_out);
  return "<h2>F1 against each option</h2>\n<p class=\"soft\">A dot for each finished run; the line joins the means." +
         remark + "</p>\n<div class=\"plots\">\n" + charts + "</div>\n";
}

}  // namespace nbs::report
