// SPDX-License-Identifier: Apache-2.0
#include "run_plugins.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

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

// Which libraries are those of a run.
class Choice {
 public:
  Choice(std::optional<record::Provenance> provenance, bool allow_changed)
      : provenance_(std::move(provenance)), allow_changed_(allow_changed) {}

  // Whether to load the file; if not, `known` gets the reason, unless the file is simply none of the run's.
  bool takes(const fs::path& file, host::Catalog& known) const {
    if (!provenance_) return true;  // and changes are allowed
    const auto hash = file_sha256(file);
    const record::PluginRecord* namesake = nullptr;
    for (const auto& plugin : provenance_->plugins) {
      if (plugin.kind == kind_name(Kind::sampler)) continue;  // masks are made without it
      if (plugin.sha256 == hash) return true;
      if (plugin.file == file.filename().string()) namesake = &plugin;
    }
    if (namesake == nullptr) return false;
    if (allow_changed_) return true;
    known.refusals.push_back(
        {file.string(),
         fmt::format("{}: it is not the library that the run was made with: its SHA-256 is {}, but the run's {} {} had "
                     "{}; name a folder with the run's own library first (plugin_folders), run it again, or accept "
                     "other masks (allow_changed_plugins)",
                     file.string(), hash, namesake->file, namesake->version, namesake->sha256)});
    return false;
  }

 private:
  std::optional<record::Provenance> provenance_;
  bool allow_changed_;
};

}  // namespace

host::Registry* load_run_plugins(const record::RunDirectory& run, const config::Document& document,
                                 const std::vector<std::string>& folders, bool allow_changed,
                                 const std::function<void(const std::string&)>& log) {
  for (const auto& folder : folders) {
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored))
      throw Error(fmt::format("the plugin folder \"{}\" is no folder; name one that holds plugin libraries", folder));
  }
  auto provenance = run.read_provenance();
  if (!provenance && !allow_changed) {
    throw Error(
        fmt::format("there is no {}, so nobody knows which plugin libraries the run was made with; copy the whole "
                    "folder of the run again, or load whatever is found (allow_changed_plugins)",
                    run.provenance().string()));
  }
  const auto searched = host::plugin_search_path(folders, config::plugin_path_of(document), own_folder());
  for (const auto& warning : host::plugin_folder_warnings(searched))
    log("warning: " + warning);
  const Choice choice(std::move(provenance), allow_changed);
  host::Catalog known;
  std::vector<fs::path> chosen;
  for (const auto& folder : searched) {
    known.searched.push_back(folder.string());
    for (const auto& file : libraries_in(folder)) {
      if (choice.takes(file, known)) chosen.push_back(file);
    }
  }
  return host::Registry::open_here(chosen, std::move(known));
}

}  // namespace nbs::library
