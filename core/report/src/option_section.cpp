// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/config/pipeline.h"

#include "html.h"
#include "sections.h"

namespace nbs::report {

namespace {

// 1 and 1.0 are the same value of a real option.
bool same_value(const Value& a, const Value& b) {
  const auto real = [](const Value& value) -> std::optional<double> {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
    if (const auto* held = std::get_if<double>(&value)) return *held;
    return std::nullopt;
  };
  const auto first = real(a);
  const auto second = real(b);
  return first && second ? *first == *second : a == b;
}

Cell code_cell(const std::string& text) {
  return {"<code>" + escaped(text) + "</code>", false, false};
}

std::string changed_table(const RunRecord& run) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& [section, specs] : config::section_specs()) {
    if (section == "experiment") continue;
    for (const auto& spec : specs) {
      const std::string name = section + "." + spec.name;
      const Value* value = run.option(name);
      if (value == nullptr || same_value(*value, spec.default_value)) continue;
      rows.push_back(
          {code_cell(name), code_cell(to_text(*value)), code_cell(to_text(spec.default_value)), text_cell(spec.doc)});
    }
  }
  if (rows.empty()) return "<p class=\"soft\">All options of the host's sections have their defaults.</p>\n";
  return table({"Option", "Here", "Default", "Meaning"}, rows);
}

bool starts_with(const std::string& text, const std::string& begin) {
  return text.rfind(begin, 0) == 0;
}

// The plugins know their defaults, and are not asked here: all their options are shown.
std::string component_tables(const RunRecord& run) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& [name, value] : run.options) {
    for (const char* section : {"sampler.", "autoencoder.", "predictor.", "postproc."}) {
      if (!starts_with(name, section)) continue;
      Cell value_cell = code_cell(to_text(value));
      value_cell.strong = name.size() > 7 && name.compare(name.size() - 7, 7, ".plugin") == 0;
      rows.push_back({code_cell(name), value_cell});
    }
  }
  if (rows.empty()) return {};
  return "<details><summary>Plugins and all their options</summary>\n" + table({"Option", "Value"}, rows) +
         "</details>\n";
}

}  // namespace

std::string option_section(const RunRecord& run) {
  const auto file = run.folder / "resolved.toml";
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return {};
  std::string out = "<h2>Pipeline</h2>\n";
  if (!run.options.empty()) {
    out += "<p>Options that are not at their defaults:</p>\n" + changed_table(run) + component_tables(run);
  }
  out += "<details><summary>The whole pipeline (resolved.toml)</summary>\n<pre>" + escaped(read_file(file)) +
         "</pre></details>\n";
  return out;
}

}  // namespace nbs::report
