// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/run/progress.h"

#include "html.h"
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
    rows.push_back({text_cell("peak memory"), text_cell(fmt::format("{:.0f} MiB", *memory))});
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
    rows.push_back({text_cell(stage),
                    {escaped(taken < 10 ? fmt::format("{:.1f} s", taken) : run::duration_text(taken)), true, false},
                    {*total > 0 ? fmt::format("{:.0f} %", 100 * taken / *total) : std::string(), true, false}});
  }
  return table({"Stage", "Time", "Of total"}, rows);
}

}  // namespace

std::string provenance_section(const RunRecord& run) {
  const std::string tables = facts_table(run) + plugins_table(run) + seconds_table(run);
  return tables.empty() ? std::string() : "<h2>Provenance</h2>\n" + tables;
}

}  // namespace nbs::report
