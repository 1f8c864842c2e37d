// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "html.h"
#include "plot.h"
#include "sections.h"

namespace nbs::report {

namespace {

constexpr std::size_t kMostTicks = 60;
constexpr std::size_t kMostPlots = 100;

struct KnownPlot {
  const char* title;
  std::vector<std::pair<const char*, const char*>> curves;  // of metrics.jsonl, and the name shown
  bool may_be_logarithmic;
  std::vector<double> shown;
};

const std::vector<KnownPlot>& known_plots() {
  static const std::vector<KnownPlot> kPlots = {
      {"Prediction loss (Eq. 2)", {{"l_pred", "l_pred"}, {"l_pred_smoothed", "smoothed"}}, true, {}},
      {"Rewards per patch, unweighted", {{"r_clone", "R_clone"}, {"coverage", "R_cover"}}, false, {}},
      {"beta (Eq. 3)", {{"beta", "beta"}}, false, {0, 1}},
      {"Autoencoder loss, anomalous over normal pixels", {{"loss_ratio", "loss ratio"}}, true, {1}},
      {"Autoencoder loss", {{"ae_loss", "ae_loss"}}, true, {}},
  };
  return kPlots;
}

std::vector<double> reinitialisations(const RunRecord& run, const Metrics& metrics) {
  const Value* value = run.option("train.reinit_every");
  const auto* every = value == nullptr ? nullptr : std::get_if<std::int64_t>(value);
  std::vector<double> at;
  if (every == nullptr || *every < 1 || metrics.find("ae_loss") == nullptr) return at;
  for (std::int64_t i = *every; i < metrics.iterations; i += *every) {
    if (at.size() == kMostTicks) return {};  // a dense row of lines shows nothing
    at.push_back(static_cast<double>(i));
  }
  return at;
}

}  // namespace

std::string curve_section(const RunRecord& run, const Metrics& metrics) {
  const auto ticks = reinitialisations(run, metrics);
  const auto best = number_at(run.result, "best.iteration");
  const double last = static_cast<double>(metrics.iterations - 1);
  // Minus l_pred once more, and a mark instead of a value.
  std::set<std::string> shown = {"r_pred", "best"};
  std::string plots;
  for (const auto& known : known_plots()) {
    Plot plot{known.title, {}, known.may_be_logarithmic, best, ticks, last, known.shown};
    for (const auto& [key, name] : known.curves) {
      const Curve* curve = metrics.find(key);
      shown.insert(key);
      if (curve == nullptr) continue;
      plot.curves.push_back({name, curve, static_cast<int>(plot.curves.size()), false});
    }
    plots += draw(plot);
  }
  std::size_t others = 0;
  for (const auto& curve : metrics.curves) {
    if (shown.count(curve.name) > 0 || ++others > kMostPlots) continue;
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
