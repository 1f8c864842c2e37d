// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "run_record.h"

namespace nbs::report {

struct Statistic {
  double mean = 0;
  std::optional<double> deviation;  ///< sample standard deviation (n - 1); none for a single value
  std::size_t count = 0;
};

/// Nothing for no values.
std::optional<Statistic> statistic(const std::vector<double>& values);

/// Runs whose pipelines differ in nothing but name, seed and data.split_seed, made with the same plugin libraries. Runs
/// of which only the result was kept are told apart by their labels instead.
struct Group {
  std::string label;  ///< data set and method, or the name, and then the options in which groups differ
  std::string dataset;
  std::string method;
  std::vector<const RunRecord*> runs;     ///< all
  std::vector<const RunRecord*> counted;  ///< those that count for means; of runs with equal seeds, one
  std::vector<std::string> versions;      ///< of the program, where the counted runs say so

  std::optional<Statistic> score(record::Score wanted) const;
};

/// Groups in the order of data set, method and first run. The records must outlive them.
std::vector<Group> group_runs(const std::vector<RunRecord>& records);

/// Names of the options that are not the same in all runs, without seeds, name and labels. Runs without a pipeline are
/// left out.
std::vector<std::string> varying_options(const std::vector<const RunRecord*>& runs);

/// The same without the options that only some of the plugins in a section have, unless runs that have one differ in
/// it: the plugin's name tells these already.
std::vector<std::string> telling_options(const std::vector<const RunRecord*>& runs);

/// The value of an option as TOML, or empty.
std::string option_text(const RunRecord& run, const std::string& name);

}  // namespace nbs::report
