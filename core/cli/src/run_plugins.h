// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace nbs::cli {

/// The plugins of a finished run, for commands that use its model: where else to look for them, and whether they may
/// differ from the run's.
struct RunPlugins {
  std::vector<std::string> plugin_path;  ///< folders
  bool allow_changed = false;

  /// Adds --plugin-path and --allow-changed-plugins to a command.
  void add_to(CLI::App& command);
  /// Adds --allow-changed-plugins alone.
  static void add_allowance_to(CLI::App& command, bool& allow_changed);
  /// As the worker is told. Throws config::DiagnosticsError for a folder that is not there.
  std::vector<std::string> words() const;
};

}  // namespace nbs::cli
