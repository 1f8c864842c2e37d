// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/metrics_file.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>
#include <system_error>
#include <unordered_map>

#include "nbs/base/files.h"
#include "nbs/error.h"

#include "fields.h"

namespace nbs::record {

namespace {

// Far longer than any that a run writes; an object's members are looked for one after the other.
constexpr std::size_t kLongestLine = 65536;

// Points of all curves, with the curve of each name at hand.
class Collector {
 public:
  explicit Collector(Metrics& metrics) : metrics_(metrics) {}

  void add(const std::string& name, const Point& point) {
    const auto [at, is_new] = places_.emplace(name, metrics_.curves.size());
    if (is_new) metrics_.curves.push_back({name, {}});
    metrics_.curves[at->second].points.push_back(point);
  }

  void drop_from(std::int64_t iteration) {
    for (auto& curve : metrics_.curves) {
      while (!curve.points.empty() && curve.points.back().x >= static_cast<double>(iteration))
        curve.points.pop_back();
    }
  }

 private:
  Metrics& metrics_;
  std::unordered_map<std::string, std::size_t> places_;
};

std::optional<std::int64_t> iteration_of(const Json& json) {
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find("iteration");
  if (found == json.end() || !found->is_number_integer()) return std::nullopt;
  const auto iteration = found->get<std::int64_t>();
  if (iteration < 0 || iteration >= kMostIterations) return std::nullopt;
  return iteration;
}

void read_line(const std::string& line, Metrics& metrics, Collector& collector) {
  const Json json = line.size() > kLongestLine ? Json() : Json::parse(line, nullptr, false);
  const auto iteration = iteration_of(json);
  if (!iteration) {
    ++metrics.unreadable_lines;
    return;
  }
  if (*iteration < metrics.iterations) collector.drop_from(*iteration);
  metrics.iterations = *iteration + 1;
  for (const auto& [name, value] : json.items()) {
    if (name == "iteration") continue;
    if (!value.is_number() && !value.is_null()) continue;
    const double y = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    collector.add(name, {static_cast<double>(*iteration), y});
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
  std::error_code ignored;
  if (std::filesystem::symlink_status(file, ignored).type() == std::filesystem::file_type::not_found) return metrics;
  std::string text;
  try {
    text = read_file(file);
  } catch (const Error& error) {
    metrics.problem = error.what();
    return metrics;
  }
  Collector collector(metrics);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty()) read_line(line, metrics, collector);
  }
  return metrics;
}

std::int64_t iterations_done(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return 0;
  const auto length = static_cast<std::int64_t>(stream.tellg());
  const auto begin = std::max<std::int64_t>(0, length - static_cast<std::int64_t>(kLongestLine));
  std::string text(static_cast<std::size_t>(length - begin), '\0');
  stream.seekg(begin);
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(0, stream.gcount())));
  // What follows the last newline may still be written.
  for (auto end = text.rfind('\n'); end != std::string::npos && end > 0;) {
    const auto before = text.rfind('\n', end - 1);
    const auto first = before == std::string::npos ? 0 : before + 1;
    if (before != std::string::npos || begin == 0) {
      if (const auto iteration = iteration_of(Json::parse(text.substr(first, end - first), nullptr, false)))
        return *iteration + 1;
    }
    end = before;
  }
  return 0;
}

}  // namespace nbs::record
