// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include <fmt/format.h>

#include "html.h"
#include "numbers.h"
#include "sections.h"

namespace nbs::report {

namespace {

// Each by its own name in provenance.json.
std::string facts_table(const RunRecord& run) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& [name, value] : record::facts(run.provenance))
    rows.push_back({text_cell(name), {"<code>" + escaped(value) + "</code>", false, false}});
  if (run.result && run.result->peak_memory_mib)
    rows.push_back({text_cell("peak memory"), text_cell(number_text(run.result->peak_memory_mib, 0) + " MiB")});
  return rows.empty() ? std::string() : table({"What", "Value"}, rows);
}

std::string plugins_table(const RunRecord& run) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& plugin : run.provenance.plugins) {
    rows.push_back({text_cell(plugin.kind),
                    text_cell(plugin.name),
                    text_cell(plugin.version),
                    text_cell(plugin.file),
                    {"<code>" + escaped(plugin.sha256) + "</code>", false, false}});
  }
  return rows.empty() ? std::string() : table({"Kind", "Plugin", "Version", "File", "SHA-256"}, rows);
}

std::string seconds_table(const RunRecord& run) {
  const auto total = run.total_seconds();
  if (!total) return {};
  std::vector<std::vector<Cell>> rows;
  for (const auto& stage : record::stages()) {
    const auto& taken = *run.result->seconds.*stage.seconds;
    if (!taken) continue;
    rows.push_back({text_cell(stage.name),
                    {escaped(*taken < 10 ? fmt::format("{:.1f} s", *taken) : seconds_text(*taken)), true, false},
                    {*total > 0 ? number_text(100 * (*taken / *total), 0) + " %" : std::string(), true, false}});
  }
  return table({"Stage", "Time", "Of total"}, rows);
}

}  // namespace

std::string provenance_section(const RunRecord& run) {
  const std::string tables = facts_table(run) + plugins_table(run) + seconds_table(run);
  return tables.empty() ? std::string() : "<h2>Provenance</h2>\n" + tables;
}

}  // namespace nbs::report
