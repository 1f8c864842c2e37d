// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nbs/config/pipeline.h"

namespace nbs::run {

/// "0.1.0 (revision)".
std::string version_text();

/// Where a result comes from: versions, source revision, plugin files with their hashes, threads, processor, device,
/// time.
nlohmann::ordered_json provenance(const config::Pipeline& pipeline, const host::Catalog& catalog,
                                  const std::string& libtorch, std::int64_t threads);

}  // namespace nbs::run
