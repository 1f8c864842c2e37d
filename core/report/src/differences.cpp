// SPDX-License-Identifier: Apache-2.0
#include "differences.h"

#include <algorithm>
#include <map>

namespace nbs::report {

namespace {

// Splits of the same number are the same images only where these are the same.
bool same_data(const RunRecord& a, const RunRecord& b) {
  if (a.dataset != b.dataset) return false;
  for (const char* option : {"data.format", "data.root", "data.category", "data.surface", "data.count"}) {
    if (option_text(a, option) != option_text(b, option)) return false;
  }
  return true;
}

// The mean F1 of each split, over the seeds.
std::map<std::int64_t, double> f1_by_split(const Group& group) {
  std::map<std::int64_t, std::vector<double>> all;
  for (const RunRecord* run : group.counted) {
    const auto f1 = run->score(record::Score::f1);
    if (f1 && run->split_seed) all[*run->split_seed].push_back(*f1);
  }
  std::map<std::int64_t, double> means;
  for (const auto& [split, values] : all)
    means[split] = statistic(values)->mean;
  return means;
}

}  // namespace

std::optional<Difference> paired_difference(const Group& group, const Group& baseline) {
  if (group.counted.empty() || baseline.counted.empty()) return std::nullopt;
  if (!same_data(*group.counted.front(), *baseline.counted.front())) return std::nullopt;
  const auto own = f1_by_split(group);
  std::vector<double> differences;
  for (const auto& [split, f1] : f1_by_split(baseline)) {
    const auto found = own.find(split);
    // A damaged result may hold any number.
    if (found != own.end()) differences.push_back(std::clamp(found->second - f1, -1.0, 1.0));
  }
  const auto mean = statistic(differences);
  if (!mean) return std::nullopt;
  return Difference{differences.size(), mean->mean, record::mean_interval(differences)};
}

}  // namespace nbs::report
