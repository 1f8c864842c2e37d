// SPDX-License-Identifier: Apache-2.0
#include "nbs/data/image_store.h"

#include <cstring>
#include <utility>

#include "checksum.h"

namespace nbs::data {

ImageStore::ImageStore(std::int64_t size, std::vector<std::uint8_t> pixels) : size_(size), pixels_(std::move(pixels)) {
  const auto bytes_of_one = static_cast<std::size_t>(3 * size * size);
  for (std::size_t at = 0; at + bytes_of_one <= pixels_.size(); at += bytes_of_one)
    checksums_.push_back(crc32_of(pixels_.data() + at, bytes_of_one));
}

ImageStore::ImageStore(std::int64_t size, std::unique_ptr<FileReader> file, std::uint64_t begin,
                       std::vector<std::uint32_t> checksums)
    : size_(size), file_(std::move(file)), begin_(begin), checksums_(std::move(checksums)) {}

// `count` bytes of all pixels, where they lie in memory, or read into `buffer`.
const std::uint8_t* ImageStore::bytes(std::uint64_t offset, std::size_t count,
                                      std::vector<std::uint8_t>& buffer) const {
  if (!file_) return pixels_.data() + offset;
  buffer.resize(count);
  file_->read_at(begin_ + offset, buffer.data(), count);
  return buffer.data();
}

void ImageStore::copy(std::int64_t image, std::uint8_t* to) const {
  const auto count = static_cast<std::size_t>(3 * size_ * size_);
  const auto offset = static_cast<std::uint64_t>(image) * count;
  if (file_) {
    file_->read_at(begin_ + offset, to, count);
  } else {
    std::memcpy(to, pixels_.data() + offset, count);
  }
}

void ImageStore::copy_window(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t side, float* to) const {
  std::vector<std::uint8_t> buffer;
  for (std::int64_t c = 0; c < 3; ++c) {
    // All rows of a color at once: reading more bytes costs less than asking more often.
    const auto offset = static_cast<std::uint64_t>(((image * 3 + c) * size_ + y) * size_);
    const auto* row = bytes(offset, static_cast<std::size_t>(side * size_), buffer) + x;
    for (std::int64_t v = 0; v < side; ++v, row += size_, to += side) {
      for (std::int64_t u = 0; u < side; ++u)
        to[u] = level_value(row[u]);
    }
  }
}

}  // namespace nbs::data
