// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "nbs/config/pipeline.h"

namespace nbs::record {

/// Refuses plugins that are not those of the run, by the SHA-256 of their libraries: their masks would be other masks.
/// `pipeline` was resolved on this machine; components that it lacks are not compared. With `allowed` it is a warning
/// for `log`, as it is for a run that has no provenance.json. Throws nbs::Error.
void require_same_plugins(const std::filesystem::path& run_folder, const config::Pipeline& pipeline, bool allowed,
                          const std::function<void(const std::string&)>& log);

}  // namespace nbs::record
