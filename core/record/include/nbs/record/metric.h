// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace nbs::record {

/// What one iteration of Algorithm 1 measured. What an iteration did not produce is empty. all_metrics() says what each
/// number means.
struct IterationMetrics {
  std::int64_t iteration = 0;
  std::optional<double> ae_loss;
  std::optional<double> loss_ratio;
  std::optional<double> l_pred;
  std::optional<double> r_clone;
  std::optional<double> coverage;
  std::optional<double> beta;
  std::optional<double> r_pred;
  /// What the sampler says of its own training, by its own names; in metrics.jsonl they begin with kSamplerPrefix.
  std::vector<std::pair<std::string, double>> sampler;
  std::optional<double> l_pred_smoothed;
  std::optional<double> best;

  /// A number by its name in metrics.jsonl.
  std::optional<double> value(const std::string& name) const;
};

constexpr const char* kSamplerPrefix = "sampler_";

/// The plots of a run's report that hold named metrics, in its order.
enum class Plot { none, prediction_loss, rewards, beta, loss_ratio, autoencoder_loss };

struct PlotInfo {
  Plot plot;
  const char* title;
  bool may_be_logarithmic;    ///< is so where all values are positive and span a factor of 50 or more
  std::vector<double> shown;  ///< values that the vertical axis must reach
};

/// One number of an iteration: from this come the lines of metrics.jsonl, the plots, the line of progress and the table
/// in docs/output.md.
struct Metric {
  const char* name;                                ///< in metrics.jsonl
  std::optional<double> IterationMetrics::*value;  ///< null for those of the sampler
  const char* meaning;                             ///< a clause
  const char* range;
  Plot plot;          ///< none: the report does not draw it, since another metric says the same
  const char* curve;  ///< its name in the plot
  int progress;       ///< its place in the line of progress; 0: not there
};

/// All metrics in the order in which they are written. The open-ended ones of the sampler stand as one, with the name
/// "sampler_…"; the report draws each in a plot of its own.
const std::vector<Metric>& all_metrics();

/// The plots in the order of the report.
const std::vector<PlotInfo>& metric_plots();

/// A line of metrics.jsonl, without its newline. A number that is not finite is null.
std::string metrics_line(const IterationMetrics& values);

/// What the line of progress shows of an iteration: the most telling first.
std::vector<std::pair<std::string, double>> progress_values(const IterationMetrics& values);

/// The table of docs/output.md.
std::string metrics_table();

}  // namespace nbs::record
