// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace nbs::data {

/// Numbers in the bytes of a file, which are 0 behind their end.
class FileHead {
 public:
  explicit FileHead(const std::string& bytes) : bytes_(bytes) {}

  std::uint64_t little(std::size_t at, int count) const {
    std::uint64_t value = 0;
    for (int i = count - 1; i >= 0; --i)
      value = value << 8 | byte(at + static_cast<std::size_t>(i));
    return value;
  }
  std::uint64_t big(std::size_t at, int count) const {
    std::uint64_t value = 0;
    for (int i = 0; i < count; ++i)
      value = value << 8 | byte(at + static_cast<std::size_t>(i));
    return value;
  }
  bool holds(std::size_t at, const std::string& mark) const {
    return at <= bytes_.size() && bytes_.compare(at, mark.size(), mark) == 0;
  }
  unsigned byte(std::size_t at) const { return at < bytes_.size() ? static_cast<unsigned char>(bytes_[at]) : 0U; }
  std::size_t size() const { return bytes_.size(); }

 private:
  const std::string& bytes_;
};

}  // namespace nbs::data
