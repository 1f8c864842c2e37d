// SPDX-License-Identifier: Apache-2.0
#include "pipelines.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "nbs/config/sweep.h"
#include "nbs/host/search_path.h"
#include "nbs/launch/catalog_cache.h"

namespace nbs::cli {

void PipelineArguments::add_to(CLI::App& command) {
  command.add_option("FILE", files, "Pipeline files")->required();
  command.add_option("--set", overrides, "Override an option: a.b=v (may be repeated)")->allow_extra_args(false);
  command.add_option("--plugin-path", plugin_path, "Folder of plugins, searched first (may be repeated)")
      ->allow_extra_args(false);
}

host::Catalog find_plugins(const std::vector<std::string>& command_line, const std::vector<std::string>& pipeline) {
  return launch::plugin_catalog(host::plugin_search_path(command_line, pipeline));
}

std::vector<NamedPipeline> load_pipelines(const PipelineArguments& arguments) {
  std::vector<NamedPipeline> result;
  std::vector<config::Problem> problems;
  std::map<std::vector<std::string>, host::Catalog> catalogs;  // by the files' own plugin_path
  // Cells of a sweep share most of their text, and so their problems.
  const auto note = [&problems](const config::ProblemsError& error) {
    for (const auto& problem : error.problems()) {
      const bool known =
          std::any_of(problems.begin(), problems.end(), [&](const auto& p) { return p.text() == problem.text(); });
      if (!known) problems.push_back(problem);
    }
  };
  // Absolute in the resolved file, which is read from elsewhere.
  std::vector<std::string> first_folders;
  for (const auto& folder : arguments.plugin_path)
    first_folders.push_back(std::filesystem::absolute(folder).lexically_normal().string());

  for (const auto& file : arguments.files) {
    try {
      auto document = config::Document::from_file(file);
      document.apply(arguments.overrides);
      for (const auto& cell : config::expand(document)) {
        try {
          const auto own = config::plugin_path_of(cell.document);
          auto at = catalogs.find(own);
          if (at == catalogs.end()) at = catalogs.emplace(own, find_plugins(first_folders, own)).first;
          auto pipeline = config::resolve(cell.document, at->second);
          pipeline.plugin_path.insert(pipeline.plugin_path.begin(), first_folders.begin(), first_folders.end());
          result.push_back({cell.label.empty() ? pipeline.name : fmt::format("{} ({})", pipeline.name, cell.label),
                            std::move(pipeline)});
        } catch (const config::ProblemsError& error) {
          note(error);
        }
      }
    } catch (const config::ProblemsError& error) {
      note(error);
    } catch (const Error& error) {
      config::Problem problem;
      problem.place.file = file;
      problem.message = error.what();
      problems.push_back(std::move(problem));
    }
  }
  if (!problems.empty()) throw config::ProblemsError(std::move(problems));
  return result;
}

}  // namespace nbs::cli
