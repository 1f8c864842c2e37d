// SPDX-License-Identifier: Apache-2.0
#include "statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "nbs/config/pipeline.h"

namespace nbs::report {

namespace {

// Whether runs that differ in this option alone are runs of one method. The number of threads changes sums in their
// last digits, as a seed would.
bool tells_nothing(const std::string& option) {
  if (option == "name" || option == "seed" || option == "data.split_seed" || option == "train.threads") return true;
  const auto dot = option.find('.');
  return dot != std::string::npos && !config::changes_results(option.substr(0, dot), option.substr(dot + 1));
}

std::string group_key(const RunRecord& run) {
  if (run.options.empty()) {
    return fmt::format("labels\n{}\n{}\n{}\n{}", run.dataset, run.method, run.labeled.value_or(-1),
                       run.method.empty() ? run.name : std::string());
  }
  std::vector<std::string> lines;  // in one order, as versions write options in different ones
  for (const auto& [name, value] : run.options) {
    if (!tells_nothing(name)) lines.push_back(name + " = " + to_text(value) + "\n");
  }
  std::sort(lines.begin(), lines.end());
  std::string key = std::accumulate(lines.begin(), lines.end(), std::string());
  for (const auto& plugin : run.provenance.plugins)
    key += fmt::format("{} {} {}\n", plugin.kind, plugin.name, plugin.sha256);
  return key;
}

// The plugins that are not the same libraries in all of the runs, as `run` had them.
std::string telling_plugins(const RunRecord& run, const std::vector<const RunRecord*>& all) {
  constexpr std::size_t kShortHash = 8;
  std::string text;
  for (std::size_t i = 0; i < run.provenance.plugins.size(); ++i) {
    const auto& own = run.provenance.plugins[i];
    const bool same = std::all_of(all.begin(), all.end(), [&](const RunRecord* other) {
      const auto& plugins = other->provenance.plugins;
      return i >= plugins.size() || plugins[i].name != own.name || plugins[i].sha256 == own.sha256;
    });
    if (same) continue;
    text += fmt::format("{}{} {} {} ({})", text.empty() ? "" : ", ", own.kind, own.name, own.version,
                        own.sha256.substr(0, kShortHash));
  }
  return text;
}

std::string group_head(const RunRecord& run) {
  if (run.method.empty() || run.dataset.empty()) return run.name;
  return run.dataset + ", " + run.method;
}

// A pipeline that was run twice with the same seeds says nothing new the second time.
void count_runs(Group& group) {
  std::map<std::pair<std::int64_t, std::int64_t>, std::pair<std::string, const RunRecord*>> latest;
  for (const RunRecord* run : group.runs) {
    if (!run->counts()) continue;
    const std::string started = run->provenance.started;
    auto& held = latest[{run->seed.value_or(-1), run->split_seed.value_or(-1)}];
    if (held.second == nullptr || started >= held.first) held = {started, run};
  }
  std::set<std::string> versions;
  for (const auto& [seeds, held] : latest) {
    group.counted.push_back(held.second);
    const auto& provenance = held.second->provenance;
    if (!provenance.revision.empty()) versions.insert(provenance.nbs + " (" + provenance.revision + ")");
  }
  group.versions.assign(versions.begin(), versions.end());
}

}  // namespace

std::optional<Statistic> statistic(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  Statistic result;
  result.count = values.size();
  const double n = static_cast<double>(values.size());
  // Sums and squares of numbers near the end of the range are taken in units of it.
  double unit = 1;
  for (const double value : values) {
    if (std::abs(value) > 1e150) unit = 0x1p900;
  }
  for (const double value : values)
    result.mean += value / unit;
  result.mean /= n;
  if (values.size() > 1) {
    double squares = 0;
    for (const double value : values)
      squares += (value / unit - result.mean) * (value / unit - result.mean);
    result.deviation = std::min(std::sqrt(squares / (n - 1)), std::numeric_limits<double>::max() / unit) * unit;
  }
  result.mean *= unit;
  return result;
}

std::optional<Statistic> Group::score(record::Score wanted) const {
  std::vector<double> values;
  for (const RunRecord* run : counted) {
    if (const auto value = run->score(wanted)) values.push_back(*value);
  }
  return statistic(values);
}

std::string option_text(const RunRecord& run, const std::string& name) {
  const Value* value = run.option(name);
  return value == nullptr ? std::string() : to_text(*value);
}

std::vector<std::string> varying_options(const std::vector<const RunRecord*>& runs) {
  std::vector<std::string> names;
  for (const RunRecord* run : runs) {
    for (const auto& [name, value] : run->options) {
      if (tells_nothing(name) || name.rfind("experiment.", 0) == 0) continue;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  const auto same_everywhere = [&](const std::string& name) {
    const RunRecord* first = nullptr;
    for (const RunRecord* run : runs) {
      if (run->options.empty()) continue;
      if (first == nullptr) first = run;
      if (option_text(*run, name) != option_text(*first, name)) return false;
    }
    return true;
  };
  names.erase(std::remove_if(names.begin(), names.end(), same_everywhere), names.end());
  return names;
}

std::vector<std::string> telling_options(const std::vector<const RunRecord*>& runs) {
  auto names = varying_options(runs);
  const auto all = names;
  const auto told_by_plugin = [&](const std::string& name) {
    const std::string plugin = name.substr(0, name.rfind('.') + 1) + "plugin";
    if (name == plugin || std::find(all.begin(), all.end(), plugin) == all.end()) return false;
    const Value* first = nullptr;
    for (const RunRecord* run : runs) {
      const Value* const value = run->option(name);
      if (value == nullptr) continue;
      if (first != nullptr && *value != *first) return false;
      first = value;
    }
    return true;
  };
  names.erase(std::remove_if(names.begin(), names.end(), told_by_plugin), names.end());
  return names;
}

std::vector<Group> group_runs(const std::vector<RunRecord>& records) {
  std::map<std::string, std::size_t> at;
  std::vector<Group> groups;
  for (const auto& run : records) {
    const auto [place, is_new] = at.emplace(group_key(run), groups.size());
    if (is_new) groups.push_back({group_head(run), run.dataset, run.method, {}, {}, {}});
    groups[place->second].runs.push_back(&run);
  }
  for (auto& group : groups)
    count_runs(group);
  // Groups with the same head are told apart by the options in which they differ.
  std::map<std::string, std::vector<Group*>> by_head;
  for (auto& group : groups)
    by_head[group.label].push_back(&group);
  for (auto& [head, alike] : by_head) {
    std::vector<const RunRecord*> firsts;
    for (const Group* group : alike)
      firsts.push_back(group->runs.front());
    const auto varying = telling_options(firsts);
    for (Group* group : alike) {
      std::string text;
      for (const auto& name : varying) {
        const std::string value = option_text(*group->runs.front(), name);
        if (!value.empty()) text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", name, value);
      }
      const auto plugins = telling_plugins(*group->runs.front(), firsts);
      if (!plugins.empty()) text += (text.empty() ? "" : ", ") + plugins;
      if (!text.empty()) group->label += ": " + text;
    }
  }
  std::stable_sort(groups.begin(), groups.end(), [](const Group& a, const Group& b) {
    return std::tie(a.dataset, a.method) < std::tie(b.dataset, b.method);
  });
  return groups;
}

}  // namespace nbs::report
