// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "nbs/host/catalog.h"

namespace nbs::cli {

/// What may stand in the place of the last of `words`, those of a command line behind "nbs" (the last may be empty).
/// All start with that word; those that end in = are to be followed by a value. Empty where a file is to be named.
/// `catalog` is asked for plugins with the folders of --plugin-path, only if they matter. Throws what it throws.
std::vector<std::string> completions(
    const CLI::App& app, const std::vector<std::string>& words,
    const std::function<host::Catalog(const std::vector<std::string>& plugin_path)>& catalog);

}  // namespace nbs::cli
