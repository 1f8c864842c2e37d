// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nbs/host/catalog.h"

namespace nbs::report {

enum class TableFormat { text, markdown, csv, json };

/// "text", "markdown", "csv" or "json". Throws nbs::Error, with the four names, for any other.
TableFormat table_format(const std::string& name);

/// Writes report.html into the folder of one run: scores, curves over the iterations, loss profiles, where the sampler
/// sampled, pictures worst first, options, provenance. One file with its style and scripts, which loads nothing but the
/// pictures, by relative path. A run that has not ended is reported as far as it went. Throws nbs::Error if the folder
/// holds no run or cannot be written to.
void write_run_report(const std::filesystem::path& run_directory);

/// For a folder with runs at any depth, of pipelines with these `plugins` (an option that a run of an older version
/// lacks counts as its default): writes report.html into each run's folder, unless this program has made it from
/// the same files before, and index.html, summary.csv and summary.md into `folder`. A line a run, differences to a
/// baseline, a chart for each option that differs, learning curves of all runs; means and sample standard deviations
/// over the finished runs whose pipelines differ in nothing but name and seeds. Throws nbs::Error if there is no run
/// below the folder or it cannot be written to.
void write_folder_report(const std::filesystem::path& folder, const host::Catalog& plugins = {});

/// The paper's Table 1 and Table 2 with our results beside the printed figures, and below them all our results.
/// `folders`: runs, folders with runs at any depth, or result files; a result belongs to the row named by
/// experiment.dataset and the column named by experiment.method. `paper_tables`: the printed figures
/// (pipelines/paper_tables.json). `plugins`: as above. What has no finished run is shown as missing; so is a cell that
/// several different pipelines claim, with a note. Throws nbs::Error if a folder or the figures cannot be read.
std::string results_table(const std::vector<std::filesystem::path>& folders, TableFormat format,
                          const std::filesystem::path& paper_tables, const host::Catalog& plugins = {});

}  // namespace nbs::report
