// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/search_path.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include <fmt/format.h>

namespace nbs::host {

std::filesystem::path program_folder() {
  std::error_code failed;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", failed);
  return failed ? std::filesystem::path() : program.parent_path();
}

std::vector<std::filesystem::path> plugin_search_path(const std::vector<std::string>& command_line,
                                                      const std::vector<std::string>& pipeline) {
  return plugin_search_path(command_line, pipeline, program_folder());
}

std::vector<std::filesystem::path> plugin_search_path(const std::vector<std::string>& command_line,
                                                      const std::vector<std::string>& pipeline,
                                                      const std::filesystem::path& installed) {
  std::vector<std::filesystem::path> folders;
  const auto add = [&](const std::filesystem::path& folder) {
    if (folder.empty()) return;
    auto plain = std::filesystem::absolute(folder).lexically_normal();
    if (!plain.has_filename()) plain = plain.parent_path();  // "a/" is "a"
    if (std::find(folders.begin(), folders.end(), plain) == folders.end()) folders.push_back(plain);
  };
  for (const auto& folder : command_line)
    add(folder);
  if (const char* environment = std::getenv("NBS_PLUGIN_PATH")) {
    std::istringstream parts(environment);
    for (std::string folder; std::getline(parts, folder, ':');)
      add(folder);
  }
  for (const auto& folder : pipeline)
    add(folder);
  if (!installed.empty()) {
    // The build tree (bin/, lib/nbs/plugins) and an install prefix (bin/ or libexec/nbs/, lib/<triplet>/nbs/plugins);
    // the last is that of a library, which lies in the same lib/ or lib/<triplet>/.
    for (const auto& candidate : {installed / ".." / "lib" / "nbs" / "plugins", installed / ".." / NBS_PLUGIN_LIBDIR,
                                  installed / ".." / ".." / NBS_PLUGIN_LIBDIR, installed / "nbs" / "plugins"}) {
      if (std::filesystem::is_directory(candidate)) add(std::filesystem::canonical(candidate));
    }
  }
  return folders;
}

namespace {

bool anybody_writes(const std::filesystem::path& path) {
  std::error_code failed;
  const auto permissions = std::filesystem::status(path, failed).permissions();
  return !failed && (permissions & std::filesystem::perms::others_write) != std::filesystem::perms::none;
}

}  // namespace

std::vector<std::string> plugin_folder_warnings(const std::vector<std::filesystem::path>& folders) {
  std::vector<std::string> warnings;
  const char* const advice =
      "any user of this machine can put code there that nbs runs as you; take the right away (chmod o-w)";
  for (const auto& folder : folders) {
    if (anybody_writes(folder))
      warnings.push_back(fmt::format("the plugin folder {} can be written to by anybody: {}", folder.string(), advice));
    std::vector<std::string> libraries;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".so" && entry.is_regular_file(ignored) && anybody_writes(entry.path()))
        libraries.push_back(entry.path().string());
    }
    std::sort(libraries.begin(), libraries.end());
    for (const auto& library : libraries)
      warnings.push_back(fmt::format("the plugin library {} can be written to by anybody: {}", library, advice));
  }
  if (const char* environment = std::getenv("NBS_PLUGIN_PATH")) {
    std::istringstream parts(environment);
    for (std::string folder; std::getline(parts, folder, ':');) {
      std::error_code ignored;
      if (!folder.empty() && !std::filesystem::is_directory(folder, ignored))
        warnings.push_back(fmt::format("NBS_PLUGIN_PATH names {}, which is no folder", folder));
    }
  }
  return warnings;
}

}  // namespace nbs::host
