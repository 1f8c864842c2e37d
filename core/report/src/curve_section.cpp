// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "nbs/record/metric.h"

#include "html.h"
#include "plot.h"
#include "sections.h"
#include "statistics.h"

namespace nbs::report {

namespace {

constexpr std::size_t kMostTicks = 60;
constexpr std::size_t kMostPlots = 100;

bool has_curves(record::Plot plot, const record::Metrics& metrics) {
  for (const auto& metric : record::all_metrics()) {
    if (metric.plot == plot && metrics.find(metric.name) != nullptr) return true;
  }
  return false;
}

std::vector<double> reinitializations(const RunRecord& run, const record::Metrics& metrics) {
  const Value* value = run.option("train.reinit_every");
  const auto* every = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  std::vector<double> at;
  // Members begin anew, too, and each may have ended early.
  if (const auto members = option_text(run, "train.members"); !members.empty() && members != "1") return at;
  if (every == nullptr || *every < 1 || !has_curves(record::Plot::autoencoder_loss, metrics)) return at;
  for (std::int64_t i = *every; i < metrics.iterations; i += *every) {
    if (at.size() == kMostTicks) return {};  // a dense row of lines shows nothing
    at.push_back(static_cast<double>(i));
  }
  return at;
}

std::optional<double> kept_iteration(const RunRecord& run) {
  if (!run.result || !run.result->checkpoint || !run.result->checkpoint->iteration) return std::nullopt;
  return static_cast<double>(*run.result->checkpoint->iteration);
}

}  // namespace

std::string curve_section(const RunRecord& run, const record::Metrics& metrics) {
  const auto ticks = reinitializations(run, metrics);
  const auto best = kept_iteration(run);
  const double last = static_cast<double>(metrics.iterations - 1);
  std::set<std::string> declared;
  for (const auto& metric : record::all_metrics())
    declared.insert(metric.name);
  std::string plots;
  for (const auto& info : record::metric_plots()) {
    Plot plot{info.title, {}, info.may_be_logarithmic, best, ticks, last, info.shown};
    for (const auto& metric : record::all_metrics()) {
      const record::Curve* curve = metric.plot == info.plot ? metrics.find(metric.name) : nullptr;
      if (curve != nullptr) plot.curves.push_back({metric.curve, curve, static_cast<int>(plot.curves.size()), false});
    }
    plots += draw(plot);
  }
  std::size_t others = 0;
  for (const auto& curve : metrics.curves) {
    if (declared.count(curve.name) > 0 || ++others > kMostPlots) continue;
    plots += draw({curve.name, {{curve.name, &curve, 0, false}}, true, best, ticks, last, {}});
  }
  std::string remark;
  if (!metrics.problem.empty()) remark += "<p class=\"remark\">" + escaped(metrics.problem) + "</p>\n";
  if (others > kMostPlots) {
    remark += fmt::format("<p class=\"remark\">{} more values are in metrics.jsonl; only the first {} are drawn.</p>\n",
                          others - kMostPlots, kMostPlots);
  }
  if (metrics.unreadable_lines > 0) {
    remark +=
        fmt::format("<p class=\"remark\">{} of the lines in metrics.jsonl could not be read and are left out.</p>\n",
                    metrics.unreadable_lines);
  }
  if (plots.empty()) return remark;
  std::string legend;
  if (best) legend += "Dashed: the iteration whose profiles and predictor were kept. ";
  if (!ticks.empty()) legend += "Dotted: the autoencoder starts anew.";
  if (!legend.empty()) legend = "<p class=\"soft\">" + legend + "</p>\n";
  return "<h2>Over the iterations</h2>\n" + remark + legend + "<div class=\"plots\">\n" + plots + "</div>\n";
}

}  // namespace nbs::report
