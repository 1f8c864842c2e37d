// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace nbs::cli {

// What the parser of command lines knows of its commands, for the reference and for completion.

/// The commands that users are to see, in the order in which they were added.
std::vector<const CLI::App*> commands_of(const CLI::App& app);

/// Options and words of a command that users are to see, in the order in which they were added.
std::vector<const CLI::Option*> options_of(const CLI::App& command);

/// "-o", "--out", … of an option; empty for a word that has no flag.
std::vector<std::string> flags_of(const CLI::Option& option);

/// Whether a word has to follow its flag.
bool takes_value(const CLI::Option& option);

/// The words that it may have, if only some are allowed.
std::vector<std::string> choices_of(const CLI::Option& option);

}  // namespace nbs::cli
