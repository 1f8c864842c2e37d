// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nbs/record/metrics_file.h"

#include "statistics.h"

// The parts of the page of a folder, each as HTML; empty where the runs have nothing for it.

namespace nbs::report {

/// The options that tell runs apart, as columns of a table; the first ones, where there are very many.
std::vector<std::string> shown_options(const std::vector<RunRecord>& records);

/// Differences of F1 to each pipeline as a baseline, of which one is shown. `groups`: in the order of the page.
std::string difference_section(const std::vector<const Group*>& groups);

/// F1 against the values of each swept option.
std::string option_charts(const std::vector<const Group*>& groups);

/// The learning curves of many runs, few enough points of each that a page of thousands of runs opens at once.
class LearningCurves {
 public:
  /// `runs`: how many there will be.
  explicit LearningCurves(std::size_t runs);
  /// The next run, in the order of the table of runs. Returns whether it has any curve.
  void add(const std::string& name, const record::Metrics& metrics);
  /// Whether the run has a curve that could be drawn.
  bool has(std::size_t run) const;
  /// `first`: the runs that are drawn before any is chosen.
  std::string section(const std::vector<std::size_t>& first) const;

 private:
  struct Run {
    std::string name;
    std::vector<std::vector<record::Point>> curves;  // by metric
  };
  std::size_t most_points_;
  std::vector<Run> runs_;
};

}  // namespace nbs::report
