// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace nbs {

/// SHA-256 (FIPS 180-4) of some bytes, in lower-case hexadecimal.
std::string sha256(const std::string& bytes);

/// The same of bytes that come one piece after the other.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  /// Of all that was added. Nothing may be added afterwards.
  std::string hexadecimal();

 private:
  void* context_;
};

/// SHA-256 of a file, in hexadecimal; empty if it cannot be read.
std::string file_sha256(const std::filesystem::path& file);

}  // namespace nbs
