// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nbs/config/pipeline.h"

namespace nbs::run {

/// What is known of components only when they were made, for each of these texts of config::components_toml(), which
/// differ. The worker makes them, all in one process; what it could make is kept in $XDG_CACHE_HOME/nbs until a plugin
/// or the worker changes. Throws nbs::Error if the worker fails.
std::vector<config::ComponentFacts> component_facts(const std::vector<std::string>& pipelines);

}  // namespace nbs::run
