// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <vector>

#include "nbs/host/catalog.h"

namespace nbs::launch {

/// The plugins in these folders, without loading LibTorch if they were described before and nothing has changed since:
/// the worker's description is kept in $XDG_CACHE_HOME/nbs, keyed by every library's name, size and time, and the
/// worker's. A description with refusals is not kept.
host::Catalog plugin_catalog(const std::vector<std::filesystem::path>& folders);

/// What the description depends on, as a text: it changes when a library or the worker changes.
std::string catalog_key(const std::vector<std::filesystem::path>& folders, const std::filesystem::path& worker);

}  // namespace nbs::launch
