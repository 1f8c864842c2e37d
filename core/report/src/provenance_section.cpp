// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>

#include "html.h"
#include "numbers.h"
#include "sections.h"

namespace nbs::report {

namespace {

std::string plain(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Whatever was recorded, by its own name: new entries need no change here.
std::string facts_table(const RunRecord& run) {
  std::vector<std::vector<Cell>> rows;
  if (run.provenance.is_object()) {
    for (const auto& [name, value] : run.provenance.items()) {
      if (value.is_structured()) continue;
      rows.push_back({text_cell(name), {"<code>" + escaped(plain(value)) + "</code>", false, false}});
    }
  }
  if (const auto memory = number_at(run.result, "peak_memory_mib"))
    rows.push_back({text_cell("peak memory"), text_cell(number_text(memory, 0) + " MiB")});
  return rows.empty() ? std::string() : table({"What", "Value"}, rows);
}

std::string plugins_table(const RunRecord& run) {
  const Json& plugins = member(run.provenance, "plugins");
  if (!plugins.is_array() || plugins.empty()) return {};
  std::vector<std::vector<Cell>> rows;
  for (const auto& plugin : plugins) {
    rows.push_back({text_cell(text_at(plugin, "kind")),
                    text_cell(text_at(plugin, "name")),
                    text_cell(text_at(plugin, "version")),
                    text_cell(text_at(plugin, "file")),
                    {"<code>" + escaped(text_at(plugin, "sha256")) + "</code>", false, false}});
  }
  return table({"Kind", "Plugin", "Version", "File", "SHA-256"}, rows);
}

std::string seconds_table(const RunRecord& run) {
  const Json& seconds = member(run.result, "seconds");
  const auto total = number_at(seconds, "total");
  if (!seconds.is_object() || !total) return {};
  std::vector<std::vector<Cell>> rows;
  for (const auto& [stage, value] : seconds.items()) {
    if (!value.is_number()) continue;
    const double taken = value.get<double>();
    if (!std::isfinite(taken)) continue;
    rows.push_back({text_cell(stage),
                    {escaped(taken < 10 ? fmt::format("{:.1f} s", taken) : seconds_text(taken)), true, false},
                    {*total > 0 ? number_text(100 * (taken / *total), 0) + " %" : std::string(), true, false}});
  }
  return table({"Stage", "Time", "Of total"}, rows);
}

}  // namespace

std::string provenance_section(const RunRecord& run) {
  const std::string tables = facts_table(run) + plugins_table(run) + seconds_table(run);
  return tables.empty() ? std::string() : "<h2>Provenance</h2>\n" + tables;
}

}  // namespace nbs::report
