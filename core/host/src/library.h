// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "nbs/host/catalog.h"
#include "nbs/plugin.h"

namespace nbs::host {

/// A plugin library that was loaded and accepted; it stays in memory until the process ends.
struct Library {
  std::string name;
  std::string version;
  std::vector<Registration> registrations;
  std::vector<std::string> warnings;
  std::string hash;  ///< SHA-256 of the file, taken before it was loaded
};

/// Loads a library with all its symbols resolved now, checks its record, and lets it register its plugins.
/// Throws nbs::Error with the reason (a part sentence that starts with "it …" or the linker's own text).
Library load_library(const std::filesystem::path& file);

/// What a library holds, found out in a process of its own, so that nothing in it can harm this one: its plugins and
/// warnings, or one refusal whose reason is a part sentence as above.
Catalog describe_library(const std::filesystem::path& file);
/// The same in this process, which a bad library ends.
Catalog describe_library_here(const std::filesystem::path& file);

}  // namespace nbs::host
