// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/lock.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nbs {

namespace {

// Whether `descriptor` is still the file of this name: who held the lock before may have removed it in between.
bool is_current(int descriptor, const std::filesystem::path& file) {
  struct stat held {};
  struct stat named {};
  return fstat(descriptor, &held) == 0 && stat(file.c_str(), &named) == 0 && held.st_ino == named.st_ino &&
         held.st_dev == named.st_dev;
}

}  // namespace

std::optional<FileLock> FileLock::try_take(const std::filesystem::path& file) {
  for (;;) {
    const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) throw Error(fmt::format("the lock {} cannot be made: {}", file.string(), std::strerror(errno)));
    int result = 0;
    do {
      result = flock(descriptor, LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    const int reason = errno;
    if (result == 0 && is_current(descriptor, file)) return FileLock(file, descriptor);
    close(descriptor);
    if (result == 0) continue;
    if (reason == EWOULDBLOCK) return std::nullopt;
    unlink(file.c_str());  // nobody can hold it
    throw NoLocksError(
        fmt::format("the file system of {} has no locks ({})", file.parent_path().string(), std::strerror(reason)));
  }
}

bool FileLock::is_held(const std::filesystem::path& file) {
  const int descriptor = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  // Shared, so that two who look do not see each other.
  const bool held = flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(descriptor);
  return held;
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  // Removed while it is held, so that nobody can hold the same file twice.
  unlink(file_.c_str());
  close(descriptor_);
}

}  // namespace nbs
