// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/cache_folder.h"

#include <cstdlib>

namespace nbs {

std::filesystem::path cache_folder() {
  if (const char* named = std::getenv("XDG_CACHE_HOME"); named != nullptr && *named != '\0')
    return std::filesystem::path(named) / "nbs";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::filesystem::path(home) / ".cache" / "nbs";
  return {};
}

}  // namespace nbs
