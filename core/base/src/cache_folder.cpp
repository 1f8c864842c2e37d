// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/cache_folder.h"

#include <cstdlib>
#include <limits>
#include <system_error>

namespace nbs {

std::filesystem::path cache_folder() {
  if (const char* named = std::getenv("XDG_CACHE_HOME"); named != nullptr && *named != '\0')
    return std::filesystem::path(named) / "nbs";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::filesystem::path(home) / ".cache" / "nbs";
  return {};
}

double cache_capacity() {
  auto folder = cache_folder();
  std::error_code failed;
  while (!folder.empty() && !std::filesystem::exists(folder, failed) && folder != folder.parent_path())
    folder = folder.parent_path();
  const auto space = std::filesystem::space(folder, failed);
  return folder.empty() || failed ? std::numeric_limits<double>::infinity() : static_cast<double>(space.capacity);
}

}  // namespace nbs
