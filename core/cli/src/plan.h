// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipelines.h"

namespace nbs::cli {

/// What `nbs batch --out parent` would do with these runs: a line for each of the first hundred, then how many are
/// finished, and how long the others would take one after the other. That is judged by the time that an iteration took
/// in those that are finished.
std::string plan_text(const std::vector<NamedPipeline>& pipelines, const std::filesystem::path& parent);

}  // namespace nbs::cli
