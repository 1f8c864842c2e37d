// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nbs/options.h"

namespace nbs::cli {

/// "1 to 4096", "at least 0", "one of "a", "b"", or "" for an option that may have any value of its type.
std::string range_text(const OptionSpec& option);

/// Prints options with type, range, default and meaning, for people.
void print_options(const std::vector<OptionSpec>& options);

/// Prints JSON. Names of files need not be UTF-8, which JSON is: what is not becomes the replacement character.
void print_json(const nlohmann::ordered_json& json);

}  // namespace nbs::cli
