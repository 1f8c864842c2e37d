// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

namespace nbs::worker {

/// A PNG file that is written a row at a time, so that a picture of any size takes no memory. It gets its name when it
/// is whole; a file that was not finished leaves nothing behind.
class PngFile {
 public:
  enum class Pixel {
    gray8,   ///< one byte
    gray16,  ///< one number of 16 bits, as the machine has it
    rgb8     ///< three bytes: red, green, blue
  };

  /// Throws nbs::Error if the file cannot be made, or PNG allows no such size.
  PngFile(const std::filesystem::path& file, std::int64_t width, std::int64_t height, Pixel pixel);
  ~PngFile();
  PngFile(const PngFile&) = delete;
  PngFile& operator=(const PngFile&) = delete;

  /// The next row, from the top. Throws nbs::Error if it cannot be written.
  void add_row(const void* pixels);
  /// After the last row. Throws nbs::Error.
  void finish();

 private:
  class Encoder;
  std::unique_ptr<Encoder> encoder_;
};

}  // namespace nbs::worker
