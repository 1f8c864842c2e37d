// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include "nbs/error.h"

namespace nbs {

/// A file system on which files cannot be locked.
class NoLocksError : public Error {
 public:
  using Error::Error;
};

/// A file that one process at a time holds (flock). The system takes the lock away when the last process that has the
/// descriptor is gone, however it ended: a lock is never stale. A child that inherits descriptor() holds it too, and so
/// keeps it when its parent is killed.
class FileLock {
 public:
  /// Nothing if somebody else holds it; never waits. The file is made. Throws nbs::Error if that fails, NoLocksError if
  /// the file system has no locks.
  static std::optional<FileLock> try_take(const std::filesystem::path& file);
  /// Whether somebody holds it; looked at without making or keeping anything. False if the file system has no locks.
  static bool is_held(const std::filesystem::path& file);

  FileLock(FileLock&& other) noexcept
      : file_(std::move(other.file_)), descriptor_(std::exchange(other.descriptor_, -1)) {}
  FileLock& operator=(FileLock&& other) noexcept {
    std::swap(file_, other.file_);
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  /// Removes the file and lets go.
  ~FileLock();

  /// Closed when another program is executed, unless that is undone in the child.
  int descriptor() const { return descriptor_; }

 private:
  FileLock(std::filesystem::path file, int descriptor) : file_(std::move(file)), descriptor_(descriptor) {}

  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace nbs
