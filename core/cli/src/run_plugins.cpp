// SPDX-License-Identifier: Apache-2.0
#include "run_plugins.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "pipelines.h"

namespace nbs::cli {

void RunPlugins::add_to(CLI::App& command) {
  command.add_option("--plugin-path", plugin_path, "Folder of plugins, searched first (may be repeated)")
      ->allow_extra_args(false);
  add_allowance_to(command, allow_changed);
}

void RunPlugins::add_allowance_to(CLI::App& command, bool& allow_changed) {
  command.add_flag("--allow-changed-plugins", allow_changed,
                   "Go on, with a warning, with plugins that are not those that the run was made with");
}

std::vector<std::string> RunPlugins::words() const {
  std::vector<std::string> words;
  if (const auto folders = absolute_folders(plugin_path); !folders.empty())
    words.insert(words.end(), {"--plugin-path", fmt::format("{}", fmt::join(folders, "\n"))});
  if (allow_changed) words.insert(words.end(), {"--allow-changed-plugins", "yes"});
  return words;
}

}  // namespace nbs::cli
