// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/report/report.h"

#include "comparison.h"
#include "later_options.h"

namespace nbs::report {

namespace {

// Each run once, also when the folders overlap.
std::vector<RunRecord> read_all(const std::vector<std::filesystem::path>& folders, const host::Catalog& plugins) {
  std::vector<RunRecord> records;
  std::set<std::filesystem::path> seen;
  for (const auto& path : folders) {
    auto found =
        std::filesystem::is_regular_file(path) ? std::vector<RunRecord>{read_result_file(path)} : read_runs(path);
    if (found.empty())
      throw Error(
          fmt::format("there is no run in {}; name a folder that nbs run or nbs batch has written to", path.string()));
    for (auto& run : found) {
      if (seen.insert(std::filesystem::weakly_canonical(run.folder)).second) records.push_back(std::move(run));
    }
  }
  add_later_options(records, plugins);
  return records;
}

}  // namespace

std::string results_table(const std::vector<std::filesystem::path>& folders, TableFormat format,
                          const std::filesystem::path& paper_tables, const host::Catalog& plugins) {
  const auto records = read_all(folders, plugins);
  const auto groups = group_runs(records);
  const Comparison comparison = compare(read_paper_figures(paper_tables), groups);
  switch (format) {
    case TableFormat::text:
      return as_text(comparison);
    case TableFormat::markdown:
      return as_markdown(comparison);
    case TableFormat::csv:
      return as_csv(comparison);
    case TableFormat::json:
      return as_json(comparison);
  }
  throw Error("unknown format of a table");
}

}  // namespace nbs::report
