// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "pipelines.h"

namespace nbs::cli {

/// What `nbs batch --out parent` would do with these runs: a line for each of the first hundred, then how many are
/// finished, how long the others would take one after the other, and how much memory the largest of them takes. That is
/// judged by those that are finished (launch::Experience).
std::string plan_text(const std::vector<NamedPipeline>& pipelines, const std::filesystem::path& parent);

}  // namespace nbs::cli
