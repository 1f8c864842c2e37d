// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nbs/plugin.h"

namespace nbs::host {

/// A plugin library that was loaded and accepted; it stays in memory until the process ends.
struct Library {
  std::string name;
  std::string version;
  std::vector<Registration> registrations;
  std::vector<std::string> warnings;
};

/// Loads a library with all its symbols resolved now, checks its record, and lets it register its plugins.
/// Throws nbs::Error with the reason (a part sentence that starts with "it …" or the linker's own text).
Library load_library(const std::filesystem::path& file);

}  // namespace nbs::host
