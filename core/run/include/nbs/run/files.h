// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

namespace nbs::run {

/// Writes a file whole or not at all: to a temporary file beside it, flushed to disk, then renamed.
/// Throws nbs::Error with the system's reason (no such folder, not writable, disk full); the old file then stays.
void write_file(const std::filesystem::path& file, const std::string& bytes);

/// The whole of a file. Throws nbs::Error if it cannot be read.
std::string read_file(const std::filesystem::path& file);

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

}  // namespace nbs::run
