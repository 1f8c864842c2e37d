// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "nbs/config/pipeline.h"

namespace nbs::run {

/// Makes the folder of a new run, `<parent>/<name>-<hash>` with "-2", "-3", … behind it when that is taken, and writes
/// the resolved pipeline into it. No two runs ever get the same folder. Throws nbs::Error if the parent is not
/// writable.
std::filesystem::path make_run_directory(const std::filesystem::path& parent, const config::Pipeline& pipeline);

/// Makes exactly this folder for a run; it must not exist yet, or be empty.
std::filesystem::path use_run_directory(const std::filesystem::path& folder, const config::Pipeline& pipeline);

/// Whether a folder holds a run that ended well.
bool is_finished(const std::filesystem::path& folder);

}  // namespace nbs::run
