// SPDX-License-Identifier: Apache-2.0
#include "pipelines.h"

#include <filesystem>
#include <map>
#include <set>
#include <unordered_set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <unistd.h>

#include "nbs/base/cache_folder.h"
#include "nbs/base/files.h"
#include "nbs/config/sweep.h"
#include "nbs/host/search_path.h"
#include "nbs/launch/catalog_cache.h"
#include "nbs/launch/component_facts.h"
#include "nbs/record/run_directory.h"

namespace nbs::cli {

void PipelineArguments::add_to(CLI::App& command) {
  command.add_option("FILE", files, "Pipeline files")->required();
  command.add_option("--set", overrides, "Override an option: a.b=v (may be repeated)")->allow_extra_args(false);
  command.add_option("--plugin-path", plugin_path, "Folder of plugins, searched first (may be repeated)")
      ->allow_extra_args(false);
}

namespace {

config::Diagnostic problem_at(const std::string& place, std::string message) {
  config::Diagnostic problem;
  problem.place.file = place;
  problem.message = std::move(message);
  return problem;
}

}  // namespace

std::vector<std::string> absolute_folders(const std::vector<std::string>& folders) {
  std::vector<std::string> absolute;
  std::vector<config::Diagnostic> problems;
  for (const auto& folder : folders) {
    if (const auto problem = config::refuse_plugin_folder(folder)) {
      problems.push_back(problem_at("--plugin-path", "the folder " + *problem));
    } else {
      absolute.push_back(std::filesystem::absolute(folder).lexically_normal().string());
    }
  }
  if (!problems.empty()) throw config::DiagnosticsError(std::move(problems));
  return absolute;
}

namespace {

// Problems of all files, each once, however many cells of a sweep share it.
class Problems {
 public:
  void add(const std::vector<config::Diagnostic>& more) {
    for (const auto& problem : more) {
      if (said_.insert(problem.text()).second) all_.push_back(problem);
    }
  }
  std::size_t count() const { return all_.size(); }
  void throw_if_any() {
    if (!all_.empty()) throw config::DiagnosticsError(std::move(all_));
  }

 private:
  std::vector<config::Diagnostic> all_;
  std::unordered_set<std::string> said_;
};

// Once, however many files and cells it is true of.
void warn(const std::string& sentence) {
  static std::set<std::string> said;
  if (said.insert(sentence).second) fmt::print(stderr, "warning: {}\n", sentence);
}

double memory_of_this_machine() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGE_SIZE));
}

// A pipeline that is right in itself, until its components were tried.
struct Candidate {
  config::Document document;
  NamedPipeline named;
  std::string components;
};

// Makes the components of all pipelines once, in one process, to know what only they know.
void try_components(const std::vector<Candidate>& candidates, Problems& problems) {
  std::map<std::string, std::size_t> places;
  std::vector<std::string> texts;
  for (const auto& candidate : candidates) {
    if (places.emplace(candidate.components, texts.size()).second) texts.push_back(candidate.components);
  }
  const auto facts = launch::component_facts(texts);
  for (const auto& candidate : candidates) {
    problems.add(
        config::check_components(candidate.document, candidate.named.pipeline, facts[places.at(candidate.components)]));
  }
}

}  // namespace

host::Catalog find_plugins(const std::vector<std::string>& command_line, const std::vector<std::string>& pipeline) {
  const auto folders = host::plugin_search_path(absolute_folders(command_line), pipeline);
  for (const auto& warning : host::plugin_folder_warnings(folders))
    warn(warning);
  return launch::plugin_catalog(folders);
}

host::Catalog plugins_for_reports(const std::vector<std::string>& command_line) {
  try {
    return find_plugins(command_line);
  } catch (const Error&) {
    return {};
  }
}

std::vector<NamedPipeline> load_pipelines(const PipelineArguments& arguments, const std::string& model) {
  // Who has made this many mistakes need not wait until all are found.
  constexpr std::size_t kEnough = 1000;
  Problems problems;
  std::vector<Candidate> candidates;
  std::map<std::vector<std::string>, host::Catalog> catalogs;  // by the files' own plugin_path
  const auto first_folders = absolute_folders(arguments.plugin_path);
  const double memory = memory_of_this_machine();
  const double disk = cache_capacity();
  const auto trained = model.empty() ? "" : read_file(record::RunDirectory(model).resolved());
  for (const auto& file : arguments.files) {
    try {
      auto document = config::Document::from_file(file);
      document.apply(arguments.overrides);
      for (auto& cell : config::expand(document)) {
        if (problems.count() > kEnough) break;
        try {
          for (const auto& problem : config::check_plugin_path(cell.document))
            warn(problem.text());
          const auto own = config::plugin_path_of(cell.document);
          auto at = catalogs.find(own);
          if (at == catalogs.end()) {
            at = catalogs.emplace(own, find_plugins(first_folders, own)).first;
            for (const auto& refusal : at->second.refusals)
              warn("this library of plugins is left out: " + refusal.reason);
          }
          auto pipeline = config::resolve(cell.document, at->second);
          pipeline.plugin_path.insert(pipeline.plugin_path.begin(), first_folders.begin(), first_folders.end());
          problems.add(config::check_memory(cell.document, pipeline, memory));
          problems.add(config::check_disk(cell.document, pipeline, disk));
          if (!model.empty()) {
            problems.add(config::check_training(cell.document, pipeline, trained, model, at->second));
          }
          auto components = config::components_toml(pipeline);
          auto label = cell.label.empty() ? pipeline.name : fmt::format("{} ({})", pipeline.name, cell.label);
          candidates.push_back(
              {std::move(cell.document), {std::move(label), std::move(pipeline)}, std::move(components)});
        } catch (const config::DiagnosticsError& error) {
          problems.add(error.problems());
        }
      }
    } catch (const config::DiagnosticsError& error) {
      problems.add(error.problems());
    } catch (const Error& error) {
      problems.add({problem_at(file, error.what())});
    }
  }
  if (!candidates.empty()) try_components(candidates, problems);
  problems.throw_if_any();
  std::vector<NamedPipeline> result;
  result.reserve(candidates.size());
  for (auto& candidate : candidates)
    result.push_back(std::move(candidate.named));
  return result;
}

}  // namespace nbs::cli
