// SPDX-License-Identifier: Apache-2.0
#include "nbs/launch/front_end.h"

#include <climits>

#include <fmt/format.h>
#include <unistd.h>

#include "nbs/base/number.h"
#include "nbs/error.h"

namespace nbs::launch {

namespace {

constexpr const char* kBegin = ".nbs-batch-";

}  // namespace

std::string host_name() {
  char name[HOST_NAME_MAX + 1] = {};
  return gethostname(name, HOST_NAME_MAX) == 0 && *name != '\0' ? name : "localhost";
}

FrontEndMark::FrontEndMark(const std::filesystem::path& parent) {
  std::error_code failed;
  std::filesystem::create_directories(parent, failed);
  front_ends(parent);  // which clears away what those that were killed have left
  try {
    lock_ = FileLock::try_take(parent / fmt::format("{}{}-{}", kBegin, host_name(), getpid()));
  } catch (const Error&) {
    // The batch says what is wrong with the folder, or goes on without locks.
  }
}

std::vector<FrontEnd> front_ends(const std::filesystem::path& parent) {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  std::filesystem::directory_iterator at(parent, failed);
  for (; !failed && at != std::filesystem::directory_iterator(); at.increment(failed)) {
    if (at->path().filename().string().rfind(kBegin, 0) == 0) files.push_back(at->path());
  }
  std::vector<FrontEnd> found;
  for (const auto& file : files) {
    const auto name = file.filename().string().substr(std::string(kBegin).size());
    const auto dash = name.rfind('-');
    if (dash == std::string::npos) continue;
    if (!FileLock::is_held(file)) {
      if (name.substr(0, dash) == host_name()) std::filesystem::remove(file, failed);
      continue;
    }
    try {
      const auto process = parse_integer(name.substr(dash + 1), "a process", 1, INT_MAX);
      found.push_back({name.substr(0, dash), static_cast<pid_t>(process)});
    } catch (const Error&) {
      // Somebody else's file.
    }
  }
  return found;
}

}  // namespace nbs::launch
