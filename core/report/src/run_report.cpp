// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/files.h"
#include "nbs/report/report.h"

#include "html.h"
#include "sections.h"

namespace nbs::report {

void write_run_report(const std::filesystem::path& run_directory) {
  const RunRecord run = read_run(run_directory);
  const record::RunDirectory folder(run_directory);
  const auto metrics = record::read_metrics(folder.metrics());
  const std::string body = heading_section(run) + expected_section(run) + score_section(run) +
                           curve_section(run, metrics) + gallery_section(run) + option_section(run) +
                           provenance_section(run);
  write_file(folder.report(), page(run.name, body));
}

}  // namespace nbs::report
