// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace nbs {

/// What does not fit into memory: a file without a name, which is gone with the object, however the program ends. It is
/// made at the first append(). For one thread at a time.
class SpillFile {
 public:
  /// `folder`: where the file lies; it takes place there.
  explicit SpillFile(std::filesystem::path folder) : folder_(std::move(folder)) {}
  ~SpillFile();
  SpillFile(SpillFile&& other) noexcept;
  SpillFile& operator=(SpillFile&&) = delete;
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  std::uint64_t length() const { return length_; }
  /// Adds bytes at the end. Throws nbs::Error if the file cannot be made or written to.
  void append(const void* bytes, std::size_t count);
  /// Throws nbs::Error if they cannot be read, or were never written.
  void read_at(std::uint64_t offset, void* to, std::size_t count) const;

 private:
  [[noreturn]] void fail(const char* what, int reason) const;
  void open_file();

  std::filesystem::path folder_;
  int descriptor_ = -1;
  std::uint64_t length_ = 0;
};

}  // namespace nbs
