// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run_record.h"

namespace nbs::report {

/// The bytes of an SQLite database: runs, with all scores that tables show; options by their dotted names, as TOML;
/// metrics of every iteration; images with their own counts. Throws nbs::Error if it cannot be made.
std::string database(const std::filesystem::path& folder, const std::vector<RunRecord>& records);

}  // namespace nbs::report
