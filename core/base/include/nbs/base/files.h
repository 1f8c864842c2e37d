// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>

namespace nbs {

/// Writes a file whole or not at all: to a temporary file beside it, flushed to disk, then renamed. A symbolic link
/// stays one and its target is replaced. What is no regular file (a device, a pipe) is written to and never replaced.
/// Throws nbs::Error with the system's reason (no such folder, not writable, disk full); the old file then stays.
void write_file(const std::filesystem::path& file, const std::string& bytes);

/// The whole of a regular file. `what` is how an error calls it ("pipeline file"). Throws nbs::Error if it cannot be
/// read, is a folder, device or pipe (which might never end), or holds more than `limit` bytes.
std::string read_file(const std::filesystem::path& file, const std::string& what = "file",
                      std::size_t limit = std::numeric_limits<std::size_t>::max());

/// A file that lines are added to; each is on disk, for other readers, when append() returns.
class LineFile {
 public:
  explicit LineFile(const std::filesystem::path& file);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  /// `line` has no newline. Throws nbs::Error if it cannot be written.
  void append(const std::string& line);

 private:
  std::filesystem::path path_;
  std::FILE* file_;
};

/// A new file in the system's folder for temporary files (TMPDIR), under a name that no other process uses; it is
/// removed with the object. Throws nbs::Error if it cannot be made.
class TemporaryFile {
 public:
  /// The name begins with "nbs-" and `stem`.
  TemporaryFile(const std::string& stem, const std::string& text);
  ~TemporaryFile();
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace nbs
