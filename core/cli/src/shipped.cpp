// SPDX-License-Identifier: Apache-2.0
#include "shipped.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/host/search_path.h"

namespace nbs::cli {

std::filesystem::path shipped(const std::string& name, const std::string& what, const std::string& package) {
  const auto installed = host::program_folder() / ".." / NBS_DATADIR / "nbs" / name;
  const auto source = std::filesystem::path(NBS_SOURCE_TREE) / name;
  for (const auto& place : {installed, source}) {
    std::error_code ignored;
    if (std::filesystem::exists(place, ignored)) return place;
  }
  throw Error(fmt::format("{}, which holds {}, is neither {} nor {}; install nbs again (of the Debian packages, {})",
                          name, what, installed.lexically_normal().string(), source.string(), package));
}

std::vector<std::string> shipped_candidates() {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(shipped("pipelines/candidates", "candidates to choose from"))) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().lexically_normal().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace nbs::cli
