// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/report/report.h"

#include "later_options.h"
#include "page_stamp.h"
#include "sections.h"
#include "summary.h"

namespace nbs::report {

namespace {

// What a run is called among the others: its folder and what tells it apart.
std::string curve_name(const std::string& place, const RunRecord& run, const std::vector<std::string>& options) {
  std::string name = place == "." ? run.name : place;
  const char* separator = ": ";
  for (const auto& option : options) {
    const auto value = option_text(run, option);
    if (value.empty()) continue;
    name += fmt::format("{}{} = {}", separator, option, value);
    separator = ", ";
  }
  return name;
}

}  // namespace

std::vector<std::string> shown_options(const std::vector<RunRecord>& records) {
  constexpr std::size_t kMostColumns = 8;
  std::vector<const RunRecord*> runs;
  runs.reserve(records.size());
  for (const auto& run : records)
    runs.push_back(&run);
  auto options = telling_options(runs);
  options.resize(std::min(options.size(), kMostColumns));
  return options;
}

void write_folder_report(const std::filesystem::path& folder, const host::Catalog& plugins) {
  auto records = read_runs(folder);
  add_later_options(records, plugins);
  if (records.empty()) {
    throw Error(fmt::format(
        "there is no run in {}: no folder below it holds resolved.toml, metrics.jsonl or result.json; name the folder "
        "that a batch has written to",
        folder.string()));
  }
  const auto options = shown_options(records);
  LearningCurves curves(records.size());
  for (const auto& run : records) {
    record::Metrics metrics;
    if (std::filesystem::is_directory(run.folder)) {
      metrics = record::read_metrics(record::RunDirectory(run.folder).metrics());
      if (!page_is_current(run.folder)) write_run_page(run.folder, metrics);
    }
    curves.add(curve_name(place_below(folder, run), run, options), metrics);
  }
  const auto groups = group_runs(records);
  write_file(folder / "index.html", index_page(folder, records, groups, options, curves));
  write_file(folder / "summary.csv", summary_csv(folder, records));
  write_file(folder / "summary.md", summary_markdown(folder, records, groups));
}

}  // namespace nbs::report
