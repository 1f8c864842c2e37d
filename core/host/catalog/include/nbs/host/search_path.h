// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace nbs::host {

/// Folders in which plugin libraries are looked for, in order: those given on the command line, those of the
/// environment variable NBS_PLUGIN_PATH (separated by colons), those of the pipeline file, and the one that belongs to
/// this installation (`<prefix>/lib/nbs/plugins`), found from `installed`, the folder of the running program or of a
/// library of ours. Never the current folder; duplicates are dropped.
std::vector<std::filesystem::path> plugin_search_path(const std::vector<std::string>& command_line,
                                                      const std::vector<std::string>& pipeline,
                                                      const std::filesystem::path& installed);
/// The same for a program of ours, from its own folder.
std::vector<std::filesystem::path> plugin_search_path(const std::vector<std::string>& command_line,
                                                      const std::vector<std::string>& pipeline);

/// What is suspicious about folders of plugins, a sentence each: folders and libraries in them that anybody may write
/// to, as whatever lies there is run; and folders of NBS_PLUGIN_PATH that are not there.
std::vector<std::string> plugin_folder_warnings(const std::vector<std::filesystem::path>& folders);

/// The folder of the running program.
std::filesystem::path program_folder();

}  // namespace nbs::host
