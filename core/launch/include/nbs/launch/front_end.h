// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "nbs/base/lock.h"

namespace nbs::launch {

/// A process that runs a batch in a folder.
struct FrontEnd {
  std::string host;
  pid_t process = 0;
};

/// Says, as long as it lives, that this process runs a batch in `parent`: a file with the names of machine and process
/// in its name that it holds. Nothing is said where the file system has no locks or cannot be written to.
class FrontEndMark {
 public:
  explicit FrontEndMark(const std::filesystem::path& parent);

 private:
  std::optional<FileLock> lock_;
};

/// Those that live now. What others left that were killed on this machine is removed.
std::vector<FrontEnd> front_ends(const std::filesystem::path& parent);

/// The name of this machine.
std::string host_name();

}  // namespace nbs::launch
