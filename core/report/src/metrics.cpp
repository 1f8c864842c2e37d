// SPDX-License-Identifier: Apache-2.0
#include "metrics.h"

#include <algorithm>
#include <fstream>
#include <limits>

#include "json_access.h"

namespace nbs::report {

namespace {

Curve& curve_named(Metrics& metrics, const std::string& name) {
  for (auto& curve : metrics.curves) {
    if (curve.name == name) return curve;
  }
  metrics.curves.push_back({name, {}});
  return metrics.curves.back();
}

void drop_from(Metrics& metrics, std::int64_t iteration) {
  for (auto& curve : metrics.curves) {
    while (!curve.points.empty() && curve.points.back().x >= static_cast<double>(iteration))
      curve.points.pop_back();
  }
}

}  // namespace

const Curve* Metrics::find(const std::string& name) const {
  for (const auto& curve : curves) {
    if (curve.name == name) return &curve;
  }
  return nullptr;
}

Metrics read_metrics(const std::filesystem::path& file) {
  Metrics metrics;
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (line.empty()) continue;
    const Json json = Json::parse(line, nullptr, false);
    const auto iteration = integer_at(json, "iteration");
    if (!iteration) {
      ++metrics.unreadable_lines;
      continue;
    }
    if (*iteration < metrics.iterations) drop_from(metrics, *iteration);
    metrics.iterations = *iteration + 1;
    for (const auto& [name, value] : json.items()) {
      if (name == "iteration") continue;
      if (!value.is_number() && !value.is_null()) continue;
      const double y = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
      curve_named(metrics, name).points.push_back({static_cast<double>(*iteration), y});
    }
  }
  return metrics;
}

}  // namespace nbs::report
