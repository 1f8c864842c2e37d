// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/metric.h"

#include <algorithm>

#include "fields.h"

namespace nbs::record {

const std::vector<Metric>& all_metrics() {
  using M = IterationMetrics;
  static const std::vector<Metric> kMetrics = {
      {"ae_loss", &M::ae_loss, "mean loss of the autoencoder's minibatches", "0 or more", Plot::autoencoder_loss,
       "ae_loss", 2},
      {"loss_ratio", &M::loss_ratio,
       "loss of anomalous over loss of normal pixels on the labeled images, when a loss map joins the profile",
       "0 or more", Plot::loss_ratio, "loss ratio", 3},
      {"l_pred", &M::l_pred, "prediction loss (Eq. 2), mean over the iteration's steps", "0 or more",
       Plot::prediction_loss, "l_pred", 0},
      {"r_clone", &M::r_clone,
       "mean cloning reward of patches on labeled images: the share of clean ones less that of anomalous ones, or as "
       "`reward.clone` says",
       "-1 to 1", Plot::rewards, "R_clone", 5},
      {"coverage", &M::coverage, "mean share of a patch that its episode had not covered before", "0 to 1",
       Plot::rewards, "R_cover", 6},
      {"beta", &M::beta, "weight of the cloning reward (Eq. 3)", "0 to 1", Plot::beta, "beta", 4},
      {"r_pred", &M::r_pred, "prediction reward (Eq. 1): minus `l_pred`", "0 or less", Plot::none, "", 0},
      {"sampler_…", nullptr, "what the sampler says of its step; for `rl`: `entropy`, `return`, `gradient`", "any",
       Plot::none, "", 0},
      {"l_pred_smoothed", &M::l_pred_smoothed, "moving average of `l_pred`, which selection looks at", "0 or more",
       Plot::prediction_loss, "smoothed", 1},
      {"best", &M::best, "1 where this checkpoint became the one that is kept", "1", Plot::none, "", 0},
  };
  return kMetrics;
}

const std::vector<PlotInfo>& metric_plots() {
  static const std::vector<PlotInfo> kPlots = {
      {Plot::prediction_loss, "Prediction loss (Eq. 2)", true, {}},
      {Plot::rewards, "Rewards per patch, unweighted", false, {}},
      {Plot::beta, "beta (Eq. 3)", false, {0, 1}},
      {Plot::loss_ratio, "Autoencoder loss, anomalous over normal pixels", true, {1}},
      {Plot::autoencoder_loss, "Autoencoder loss", true, {}},
  };
  return kPlots;
}

std::optional<double> IterationMetrics::value(const std::string& name) const {
  for (const auto& metric : all_metrics()) {
    if (metric.value != nullptr && name == metric.name) return this->*metric.value;
  }
  for (const auto& [own, number] : sampler) {
    if (name == kSamplerPrefix + own) return number;
  }
  return std::nullopt;
}

std::string metrics_line(const IterationMetrics& values) {
  Json json;
  json["iteration"] = values.iteration;
  for (const auto& metric : all_metrics()) {
    if (metric.value != nullptr) {
      if (const auto& value = values.*metric.value) json[metric.name] = number_or_null(value);
      continue;
    }
    for (const auto& [name, value] : values.sampler)
      json[kSamplerPrefix + name] = number_or_null(value);
  }
  // A third party's sampler may choose names that are no UTF-8.
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::pair<std::string, double>> progress_values(const IterationMetrics& values) {
  std::vector<const Metric*> wanted;
  for (const auto& metric : all_metrics()) {
    if (metric.progress > 0) wanted.push_back(&metric);
  }
  std::sort(wanted.begin(), wanted.end(), [](const Metric* a, const Metric* b) { return a->progress < b->progress; });
  std::vector<std::pair<std::string, double>> shown;
  for (const Metric* metric : wanted) {
    if (const auto& value = values.*metric->value) shown.emplace_back(metric->name, *value);
  }
  return shown;
}

std::string metrics_table() {
  std::string table = "| key | meaning | range |\n|---|---|---|\n| `iteration` | number of the iteration | from 0 |\n";
  for (const auto& metric : all_metrics())
    table += fmt::format("| `{}` | {} | {} |\n", metric.name, metric.meaning, metric.range);
  return table;
}

}  // namespace nbs::record
