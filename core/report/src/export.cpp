// SPDX-License-Identifier: Apache-2.0
#include "nbs/report/export.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/error.h"

#include "database.h"
#include "later_options.h"
#include "numbers.h"
#include "summary.h"

namespace nbs::report {

namespace {

ChoiceNames<ExportFormat> export_formats() {
  return {{"csv", ExportFormat::csv},
          {"json", ExportFormat::json},
          {"latex", ExportFormat::latex},
          {"markdown", ExportFormat::markdown},
          {"sqlite", ExportFormat::sqlite}};
}

std::string json_text(const std::filesystem::path& folder, const std::vector<RunRecord>& records) {
  auto all = nlohmann::ordered_json::array();
  for (const auto& run : records) {
    auto& entry = all.emplace_back();
    entry["run"] = place_below(folder, run);
    entry["state"] = state_name(run.state);
    auto& options = entry["options"] = nlohmann::ordered_json::object();
    for (const auto& [name, value] : run.options)
      std::visit([&, key = name](const auto& held) { options[key] = held; }, value);
    if (run.result) entry["result"] = record::to_json(*run.result);
  }
  // The names of files and folders need not be UTF-8.
  return all.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

// Text with all that LaTeX takes for more than a character written so that it is one.
std::string latex_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\textbackslash{}";
        break;
      case '~':
        out += "\\textasciitilde{}";
        break;
      case '^':
        out += "\\textasciicircum{}";
        break;
      case '&':
      case '%':
      case '$':
      case '#':
      case '_':
      case '{':
      case '}':
        out += '\\';
        out += c;
        break;
      case '\n':
        out += ' ';
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string latex_mean(const std::optional<Statistic>& value) {
  if (!value) return "--";
  if (!value->deviation) return fmt::format("{:.3f}", value->mean);
  return fmt::format("${:.3f} \\pm {:.3f}$", value->mean, *value->deviation);
}

std::string latex_table(const std::vector<Group>& groups) {
  const auto& columns = record::score_infos();
  std::string out = fmt::format("% \\usepackage{{booktabs}}\n\\begin{{tabular}}{{l{}}}\n\\toprule\nPipeline & Runs",
                                std::string(columns.size() + 1, 'r'));
  for (const auto& column : columns)
    out += " & " + latex_text(column.title);
  out += " \\\\\n\\midrule\n";
  for (const auto& group : groups) {
    out += fmt::format("{} & {}", latex_text(group.label), group.counted.size());
    for (const auto& column : columns)
      out += " & " + latex_mean(group.score(column.score));
    out += " \\\\\n";
  }
  return out + "\\bottomrule\n\\end{tabular}\n";
}

}  // namespace

ExportFormat export_format(const std::string& name) {
  return choice_value(name, export_formats());
}

std::string exported(const std::filesystem::path& folder, ExportFormat format, const host::Catalog& plugins) {
  auto records = read_runs(folder);
  add_later_options(records, plugins);
  if (records.empty())
    throw Error(
        fmt::format("there is no run in {}; name a folder that nbs run or nbs batch has written to", folder.string()));
  switch (format) {
    case ExportFormat::json:
      return json_text(folder, records);
    case ExportFormat::latex:
      return latex_table(group_runs(records));
    case ExportFormat::markdown:
      return summary_markdown(folder, records, group_runs(records));
    case ExportFormat::sqlite:
      return database(folder, records);
    case ExportFormat::csv:
      break;
  }
  return summary_csv(folder, records);
}

}  // namespace nbs::report
