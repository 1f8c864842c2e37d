// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "nbs/base/files.h"
#include "nbs/error.h"
#include "nbs/report/report.h"

#include "sections.h"
#include "summary.h"

namespace nbs::report {

void write_folder_report(const std::filesystem::path& folder) {
  const auto records = read_runs(folder);
  if (records.empty()) {
    throw Error(fmt::format(
        "there is no run in {}: no folder below it holds resolved.toml, metrics.jsonl or result.json; name the folder "
        "that a batch has written to",
        folder.string()));
  }
  LearningCurves curves(records.size());
  for (const auto& run : records) {
    record::Metrics metrics;
    if (std::filesystem::is_directory(run.folder)) {
      metrics = record::read_metrics(record::RunDirectory(run.folder).metrics());
      write_run_page(run.folder, metrics);
    }
    const auto place = place_below(folder, run);
    curves.add(place == "." ? run.name : place, metrics);
  }
  const auto groups = group_runs(records);
  write_file(folder / "index.html", index_page(folder, records, groups, curves));
  write_file(folder / "summary.csv", summary_csv(folder, records));
  write_file(folder / "summary.md", summary_markdown(folder, records, groups));
}

}  // namespace nbs::report
