// SPDX-License-Identifier: Apache-2.0
#include "run_plugins.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <dlfcn.h>
#include <fmt/format.h>

#include "nbs/base/hash.h"
#include "nbs/config/pipeline.h"
#include "nbs/error.h"
#include "nbs/host/search_path.h"
#include "nbs/kind.h"

namespace nbs::library {

namespace {

namespace fs = std::filesystem;

// The folder of libnbs itself.
fs::path own_folder() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr) return {};
  std::error_code failed;
  const auto file = fs::canonical(info.dli_fname, failed);
  return failed ? fs::path() : file.parent_path();
}

std::vector<fs::path> libraries_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    std::error_code ignored;
    if (at->path().extension() == ".so" && at->is_regular_file(ignored)) files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

struct Found {
  fs::path file;
  std::string hash;
};

std::string other_library(const Found& found, const record::PluginRecord& plugin) {
  return fmt::format(
      "{}: it is not the library that the run was made with: its SHA-256 is {}, but the run's {} {} had {}; name a "
      "folder "
      "with the run's own library (plugin_folders), run it again, or accept other masks (allow_changed_plugins)",
      found.file.string(), found.hash, plugin.file, plugin.version, plugin.sha256);
}

// The files that hold a plugin: those of the run, or else, if others are allowed, the first of that name. Why there is
// none is added to `refusals`.
std::vector<fs::path> files_of(const record::PluginRecord& plugin, const std::vector<Found>& found, bool allow_changed,
                               std::vector<host::Refusal>& refusals) {
  std::vector<fs::path> files;
  for (const auto& library : found) {
    if (library.hash == plugin.sha256) files.push_back(library.file);
  }
  if (!files.empty()) return files;
  for (const auto& library : found) {
    if (library.file.filename().string() != plugin.file) continue;
    if (allow_changed) return {library.file};
    refusals.push_back({library.file.string(), other_library(library, plugin)});
  }
  return files;
}

}  // namespace

host::Registry* load_run_plugins(const record::RunDirectory& run, const config::Document& document,
                                 const std::vector<std::string>& folders, bool allow_changed,
                                 const std::function<void(const std::string&)>& log) {
  for (const auto& folder : folders) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
      throw Error(fmt::format("the plugin folder \"{}\" is no folder; name one that holds plugin libraries", folder));
  }
  const auto provenance = run.read_provenance();
  if (!provenance && !allow_changed) {
    throw Error(
        fmt::format("there is no {}, so nobody knows which plugin libraries the run was made with; copy the whole "
                    "folder of the run again, or load whatever is found (allow_changed_plugins)",
                    run.provenance().string()));
  }
  const auto searched = host::plugin_search_path(folders, config::plugin_path_of(document), own_folder());
  for (const auto& warning : host::plugin_folder_warnings(searched))
    log("warning: " + warning);
  host::Catalog known;
  std::vector<Found> found;
  for (const auto& folder : searched) {
    known.searched.push_back(folder.string());
    for (const auto& file : libraries_in(folder))
      found.push_back({file, file_sha256(file)});
  }
  std::vector<fs::path> chosen;
  const auto choose = [&](const fs::path& file) {
    if (std::find(chosen.begin(), chosen.end(), file) == chosen.end()) chosen.push_back(file);
  };
  if (!provenance) {
    for (const auto& library : found)
      choose(library.file);
    return host::Registry::open_here(chosen, std::move(known));
  }
  for (const auto& plugin : provenance->plugins) {
    if (plugin.kind == kind_name(Kind::sampler)) continue;  // masks are made without it
    for (const auto& file : files_of(plugin, found, allow_changed, known.refusals))
      choose(file);
  }
  return host::Registry::open_here(chosen, std::move(known));
}

}  // namespace nbs::library
