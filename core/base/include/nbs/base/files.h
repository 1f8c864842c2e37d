// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace nbs {

/// Writes a file whole or not at all: to a temporary file beside it, flushed to disk, then renamed. A symbolic link
/// stays one and its target is replaced. What is no regular file (a device, a pipe) is written to and never replaced.
/// Throws nbs::Error with the system's reason (no such folder, not writable, disk full); the old file then stays.
void write_file(const std::filesystem::path& file, const std::string& bytes);
/// The same for bytes that lie in several pieces, one behind the other.
void write_file(const std::filesystem::path& file, const std::vector<std::string_view>& pieces);

/// Whether a file of this name, without its folder, is one that write_file() has not finished.
bool is_unfinished_file(const std::string& name);

/// Removes what programs that were killed inside write_file() have left in this folder, and nothing below it. What is
/// being written now stays, where the file system has locks.
void remove_unfinished_files(const std::filesystem::path& folder);

/// The whole of a regular file. `what` is how an error calls it ("pipeline file"). Throws nbs::Error if it cannot be
/// read, is a folder, device or pipe (which might never end), or holds more than `limit` bytes.
std::string read_file(const std::filesystem::path& file, const std::string& what = "file",
                      std::size_t limit = std::numeric_limits<std::size_t>::max());

/// The length of a file in bytes; 0 if there is none.
std::uintmax_t file_length(const std::filesystem::path& file);

/// Cuts a file off behind its first `length` bytes; one that is not there is made. Throws nbs::Error if that fails, or
/// the file is shorter.
void cut_file(const std::filesystem::path& file, std::uintmax_t length);

/// A file that lines are added to; each is on disk, for other readers, when append() returns.
class LineFile {
 public:
  explicit LineFile(const std::filesystem::path& file);
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;
  /// `line` has no newline. Throws nbs::Error if it cannot be written.
  void append(const std::string& line);
  /// Returns when all lines are on the disk, so that they outlast a power cut. Throws nbs::Error.
  void sync();

 private:
  std::filesystem::path path_;
  std::FILE* file_;
};

/// A file that is written in pieces, in any order and by several threads, and gets its name when it is whole. Until
/// then it is a temporary file beside it, which is removed with the object, or by remove_unfinished_files().
class NewFile {
 public:
  /// Reserves the place of `length` bytes on the disk, where the file system can; 0: how long it will be is not known.
  /// Throws nbs::Error if there is none, or the file cannot be made.
  NewFile(std::filesystem::path file, std::uint64_t length);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  /// Throws nbs::Error if they cannot be written.
  void write_at(std::uint64_t offset, std::string_view bytes);
  /// All is written: the file takes the place of one that has its name. Throws nbs::Error.
  void finish();

 private:
  [[noreturn]] void fail(int reason) const;

  std::filesystem::path file_;
  std::filesystem::path temporary_;
  int descriptor_ = -1;
};

/// Reads pieces of a regular file. Several threads may use it. Who removes or replaces the file meanwhile does not
/// disturb it.
class FileReader {
 public:
  /// Throws nbs::Error if it cannot be opened, or is no regular file.
  explicit FileReader(std::filesystem::path file);
  ~FileReader();
  FileReader(const FileReader&) = delete;
  FileReader& operator=(const FileReader&) = delete;
  const std::filesystem::path& path() const { return file_; }
  /// Its length in bytes when it was opened.
  std::uint64_t length() const { return length_; }
  /// Throws nbs::Error if reading fails, or the file ends before.
  void read_at(std::uint64_t offset, void* to, std::size_t count) const;
  /// The last `count` bytes, or all of a file that has no more. Throws nbs::Error as read_at() does.
  std::string end(std::size_t count) const;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
  std::uint64_t length_ = 0;
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
