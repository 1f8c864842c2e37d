// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/files.h"
#include "nbs/report/report.h"

#include "html.h"
#include "page_stamp.h"
#include "sections.h"
#include "web_files.h"

namespace nbs::report {

void write_run_report(const std::filesystem::path& run_directory) {
  write_run_page(run_directory, record::read_metrics(record::RunDirectory(run_directory).metrics()));
}

void write_run_page(const std::filesystem::path& folder, const record::Metrics& metrics) {
  // Before anything is read: what changes from here on makes the page an old one.
  const auto stamp = page_stamp(folder);
  const RunRecord run = read_whole_run(folder);
  const std::string body = heading_section(run) + expected_section(run) + score_section(run) + precision_section(run) +
                           curve_section(run, metrics) + profile_section(run) + sampling_section(run) +
                           gallery_section(run) + option_section(run) + provenance_section(run);
  write_file(record::RunDirectory(folder).report(),
             page(run.name, body, {kChartScript, kViewerScript, kTableScript}) + stamp);
}

}  // namespace nbs::report
