// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nbs/config/pipeline.h"

namespace CLI {
class App;
}

namespace nbs::cli {

/// What commands that read pipeline files have in common.
struct PipelineArguments {
  std::vector<std::string> files;
  std::vector<std::string> overrides;    ///< "a.b=v"
  std::vector<std::string> plugin_path;  ///< folders

  /// Adds FILE…, --set and --plugin-path to a command.
  void add_to(CLI::App& command);
};

/// A checked run: one file, or one cell of its sweep.
struct NamedPipeline {
  std::string label;  ///< the pipeline's name, with the sweep's values behind it
  config::Pipeline pipeline;
};

/// Reads, expands and checks all files. Throws config::DiagnosticsError with the problems of all of them, each said
/// once. `model`: the folder of a run whose model all of them take, if it is not empty; what that run would have
/// trained otherwise is a problem, too.
std::vector<NamedPipeline> load_pipelines(const PipelineArguments& arguments, const std::string& model = "");

/// Folders of --plugin-path, absolute, as the resolved file is read from elsewhere. Throws config::DiagnosticsError if
/// one is not there, which is a mistake in the command.
std::vector<std::string> absolute_folders(const std::vector<std::string>& folders);

/// The plugins found with this search path.
host::Catalog find_plugins(const std::vector<std::string>& command_line, const std::vector<std::string>& pipeline = {});

/// The plugins that reports know the options of; none if they cannot be found, which costs a report little.
host::Catalog plugins_for_reports(const std::vector<std::string>& command_line = {});

}  // namespace nbs::cli
