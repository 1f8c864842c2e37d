// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nbs/base/files.h"
#include "nbs/data/sample.h"
#include "nbs/data/views.h"
#include "nbs/error.h"

namespace nbs::data {

/// What one of the 256 levels of a color is as a number in [0, 1].
inline float level_value(std::uint8_t level) {
  return static_cast<float>(level) / 255.0F;
}

/// Images of one size at 8 bits a color, in memory or in a file, from which they are read when asked for. (They are not
/// mapped: pages that were looked at would count as memory of the program, and a file cut short would end it.) Never
/// changes, so several threads may use it.
class ImageStore {
 public:
  /// In memory: `pixels` is [count, 3, size, size], red, green and blue.
  ImageStore(std::int64_t size, std::vector<std::uint8_t> pixels);
  /// In a file, which holds the same from byte `begin` on. `checksums`: the CRC-32 of each image's bytes.
  ImageStore(std::int64_t size, std::unique_ptr<FileReader> file, std::uint64_t begin,
             std::vector<std::uint32_t> checksums);

  std::int64_t count() const { return static_cast<std::int64_t>(checksums_.size()); }
  std::int64_t size() const { return size_; }  ///< S
  /// Copies the pixels [3, S, S] of an image. Throws nbs::Error if the file cannot be read.
  void copy(std::int64_t image, std::uint8_t* to) const;
  /// Copies the window [3, side, side] at (y, x) of an image as numbers in [0, 1]. Throws as copy().
  void copy_window(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t side, float* to) const;
  /// The CRC-32 of an image's bytes.
  std::uint32_t checksum(std::int64_t image) const { return checksums_[static_cast<std::size_t>(image)]; }
  /// The file; empty if the images are held in memory.
  std::filesystem::path file() const { return file_ ? file_->path() : std::filesystem::path(); }

 private:
  const std::uint8_t* bytes(std::uint64_t offset, std::size_t count, std::vector<std::uint8_t>& buffer) const;

  std::int64_t size_;
  std::vector<std::uint8_t> pixels_;
  std::unique_ptr<FileReader> file_;
  std::uint64_t begin_ = 0;
  std::vector<std::uint32_t> checksums_;
};

/// How images are read.
struct Reading {
  std::int64_t threads = 1;  ///< that decode at the same time; at most 16 do
  /// Told every tenth of a second, by the thread that reads: what is done, and how much of it; `total` 0: it waits. If
  /// it returns false, reading stops.
  std::function<bool(const char* what, std::int64_t done, std::int64_t total)> progress;
};

/// Reading was stopped by Reading::progress.
class ReadingStopped : public Error {
 public:
  using Error::Error;
};

/// Reads, resizes and rounds the images of these samples, each as the views of its plan, one after the other; `plans`:
/// plan_of() each sample, or none where options.resize is "square". Into memory, or, where they take more than
/// options.memory, into a file below cache_folder() that other runs on the same images use again. Its name is a hash of
/// all that the pixels depend on (path, size and time of each file, options). It is written under another name and
/// renamed, so it is whole or not there; whoever finds one checks every byte of it, and writes it anew if it is
/// damaged. Of two programs that need it at the same time one writes it and the other waits. Throws nbs::Error, of the
/// first image that cannot be read.
std::unique_ptr<const ImageStore> read_images(const std::vector<const Sample*>& samples,
                                              const std::vector<ViewPlan>& plans, const DataOptions& options,
                                              const Reading& reading = {});

/// What the pixels of these samples depend on, as SHA-256 in hexadecimal.
std::string key_of_images(const std::vector<const Sample*>& samples, const DataOptions& options);

}  // namespace nbs::data
