// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "nbs/host/catalog.h"

namespace nbs::report {

enum class ExportFormat { csv, json, latex, markdown, sqlite };

/// "csv", "json", "latex", "markdown" or "sqlite". Throws nbs::Error, with these names, for any other.
ExportFormat export_format(const std::string& name);

/// Everything that is known of the runs in `folder`, at any depth, as the bytes of a file:
/// - csv: a line for each run, with its scores and the options that differ;
/// - json: a list with an object for each run: all of its options, and its result as it is in result.json;
/// - latex, markdown: means and sample standard deviations over the finished runs that differ in seeds only;
/// - sqlite: a database with the tables runs, options, metrics and images (docs/batches.md).
/// `plugins`: as write_folder_report() has it. Throws nbs::Error if there is no such folder, no run in it, or a kept
/// result cannot be read.
std::string exported(const std::filesystem::path& folder, ExportFormat format, const host::Catalog& plugins = {});

}  // namespace nbs::report
