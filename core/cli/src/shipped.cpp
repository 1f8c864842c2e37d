// SPDX-License-Identifier: Apache-2.0
#include "shipped.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/host/search_path.h"

namespace nbs::cli {

std::filesystem::path shipped_file(const std::string& name, const std::string& what) {
  for (const auto& folder : {host::program_folder() / ".." / NBS_DATADIR / "nbs" / "pipelines",
                             std::filesystem::path(NBS_SOURCE_PIPELINES)}) {
    if (std::filesystem::exists(folder / name)) return folder / name;
  }
  throw Error(
      fmt::format("{}, which holds {}, is neither in {}/../{}/nbs/pipelines nor in {}; install nbs again, or name "
                  "the file",
                  name, what, host::program_folder().string(), NBS_DATADIR, NBS_SOURCE_PIPELINES));
}

std::vector<std::string> shipped_candidates() {
  std::vector<std::string> files;
  for (const auto& entry :
       std::filesystem::directory_iterator(shipped_file("candidates", "candidates to choose from"))) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path().lexically_normal().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace nbs::cli
