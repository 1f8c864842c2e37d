// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nbs::host {

/// Folders in which plugin libraries are looked for, in order: those given on the command line, those of the
/// environment variable NBS_PLUGIN_PATH (separated by colons), those of the pipeline file, and the one that belongs to
/// the running program (`<prefix>/lib/nbs/plugins`). Never the current folder; duplicates are dropped.
std::vector<std::filesystem::path> plugin_search_path(const std::vector<std::string>& command_line,
                                                      const std::vector<std::string>& pipeline);

/// The folder of the running program.
std::filesystem::path program_folder();

}  // namespace nbs::host
