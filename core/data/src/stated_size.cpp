// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "decode.h"
#include "file_head.h"
#include "orientation.h"

// The heads of image files: only what says how large the picture is. Whatever does not fit is left to the decoder.

namespace nbs::data {

namespace {

std::optional<StatedSize> of_jpeg(const FileHead& head) {
  // From marker to marker until that of a frame.
  for (std::size_t at = 2; at + 9 < head.size();) {
    if (head.byte(at) != 0xFF) return std::nullopt;
    const unsigned marker = head.byte(at + 1);
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (frame) return StatedSize{head.big(at + 7, 2), head.big(at + 5, 2)};
    if (marker == 0xDA || marker == 0xD9) return std::nullopt;
    at += 2 + static_cast<std::size_t>(head.big(at + 2, 2));
  }
  return std::nullopt;
}

std::optional<StatedSize> of_tiff(const FileHead& head) {
  const bool is_big = head.byte(0) == 'M';
  const auto number = [&](std::size_t at, int count) { return is_big ? head.big(at, count) : head.little(at, count); };
  if (number(2, 2) != 42) return std::nullopt;  // 43: with 64-bit offsets
  const std::size_t directory = number(4, 4);
  const std::uint64_t entries = number(directory, 2);
  StatedSize size;
  for (std::uint64_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    const std::uint64_t tag = number(entry, 2);
    const std::uint64_t value = number(entry + 2, 2) == 3 ? number(entry + 8, 2) : number(entry + 8, 4);
    if (tag == 256) size.width = value;
    if (tag == 257) size.height = value;
  }
  return size;
}

std::optional<StatedSize> of_webp(const FileHead& head) {
  if (head.holds(12, "VP8 ")) return StatedSize{head.little(26, 2) & 0x3FFF, head.little(28, 2) & 0x3FFF};
  if (head.holds(12, "VP8L")) {
    const std::uint64_t bits = head.little(21, 4);
    return StatedSize{(bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1};
  }
  if (head.holds(12, "VP8X")) return StatedSize{head.little(24, 3) + 1, head.little(27, 3) + 1};
  return std::nullopt;
}

// Width and height as text, after comments.
std::optional<StatedSize> of_pnm(const FileHead& head) {
  std::uint64_t numbers[2] = {};
  std::size_t at = 2;
  for (auto& number : numbers) {
    while (at < head.size() && (head.byte(at) <= ' ' || head.byte(at) == '#')) {
      if (head.byte(at) == '#') {
        while (at < head.size() && head.byte(at) != '\n')
          ++at;
      } else {
        ++at;
      }
    }
    for (; head.byte(at) >= '0' && head.byte(at) <= '9'; ++at)
      number = std::min<std::uint64_t>(number * 10 + head.byte(at) - '0', 1U << 31);
  }
  return StatedSize{numbers[0], numbers[1]};
}

std::optional<StatedSize> by_format(const FileHead& head) {
  if (head.holds(0, "\x89PNG\r\n\x1a\n")) return StatedSize{head.big(16, 4), head.big(20, 4)};
  if (head.holds(0, "\xFF\xD8")) return of_jpeg(head);
  if (head.holds(0, "BM")) {
    // A negative height: rows from the top.
    const auto height = static_cast<std::int32_t>(head.little(22, 4));
    return StatedSize{head.little(18, 4), static_cast<std::uint64_t>(std::abs(static_cast<std::int64_t>(height)))};
  }
  if (head.holds(0, "II") || head.holds(0, "MM")) return of_tiff(head);
  if (head.holds(0, "RIFF") && head.holds(8, "WEBP")) return of_webp(head);
  if (head.byte(0) == 'P' && head.byte(1) >= '1' && head.byte(1) <= '6') return of_pnm(head);
  if (head.holds(4, "jP  ")) {
    for (std::size_t at = 0; at < std::min<std::size_t>(head.size(), 4096); ++at) {
      if (head.holds(at, "ihdr")) return StatedSize{head.big(at + 8, 4), head.big(at + 4, 4)};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<StatedSize> stated_size(const std::string& bytes) {
  auto size = by_format(FileHead(bytes));
  if (!size || size->width == 0 || size->height == 0) return std::nullopt;
  if (lies_on_its_side(stated_orientation(bytes))) std::swap(size->width, size->height);
  return size;
}

}  // namespace nbs::data
