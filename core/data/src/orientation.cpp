// SPDX-License-Identifier: Apache-2.0
#include "orientation.h"

#include <algorithm>

#include <opencv2/core.hpp>

#include "file_head.h"

namespace nbs::data {

namespace {

constexpr unsigned kOrientationTag = 274;
constexpr int kAsStored = 1;
constexpr int kMost = 8;

// In the first directory of a TIFF file, which may lie in another file: EXIF is written that way.
int in_tiff(const FileHead& head, std::size_t begin) {
  const bool is_big = head.byte(begin) == 'M';
  if (!head.holds(begin, is_big ? "MM" : "II")) return kAsStored;
  const auto number = [&](std::size_t at, int count) {
    return is_big ? head.big(begin + at, count) : head.little(begin + at, count);
  };
  const std::size_t directory = number(4, 4);
  const auto entries = number(directory, 2);
  for (std::uint64_t i = 0; i < entries && begin + directory + 12 * i < head.size(); ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (number(entry, 2) != kOrientationTag) continue;
    const auto value = static_cast<int>(number(entry + 8, 2));
    return value >= kAsStored && value <= kMost ? value : kAsStored;
  }
  return kAsStored;
}

// From marker to marker, up to the picture.
int in_jpeg(const FileHead& head) {
  for (std::size_t at = 2; at + 4 < head.size() && head.byte(at) == 0xFF;) {
    const unsigned marker = head.byte(at + 1);
    if (marker == 0xFF) {
      ++at;
      continue;
    }
    if (marker == 0xDA || marker == 0xD9) break;
    if (marker == 0xE1 && head.holds(at + 4, std::string("Exif\0\0", 6))) return in_tiff(head, at + 10);
    at += 2 + static_cast<std::size_t>(head.big(at + 2, 2));
  }
  return kAsStored;
}

// From chunk to chunk, up to the picture.
int in_png(const FileHead& head) {
  for (std::size_t at = 8; at + 8 < head.size() && !head.holds(at + 4, "IDAT"); at += 12 + head.big(at, 4)) {
    if (head.holds(at + 4, "eXIf")) return in_tiff(head, at + 8);
  }
  return kAsStored;
}

// From chunk to chunk; it follows the picture. Some writers begin it as in JPEG files.
int in_webp(const FileHead& head) {
  const std::string jpeg("Exif\0\0", 6);
  for (std::size_t at = 12; at + 8 < head.size();) {
    if (head.holds(at, "EXIF")) return in_tiff(head, head.holds(at + 8, jpeg) ? at + 8 + jpeg.size() : at + 8);
    const auto length = head.little(at + 4, 4);
    at += 8 + length + length % 2;
  }
  return kAsStored;
}

}  // namespace

int stated_orientation(const std::string& bytes) {
  const FileHead head(bytes);
  if (head.holds(0, "\xFF\xD8")) return in_jpeg(head);
  if (head.holds(0, "\x89PNG\r\n\x1a\n")) return in_png(head);
  if (head.holds(0, "RIFF") && head.holds(8, "WEBP")) return in_webp(head);
  return in_tiff(head, 0);
}

cv::Mat upright(const cv::Mat& stored, int orientation) {
  // As pairs of a transposition and a flip: over the columns (1), the rows (0) or both (-1).
  constexpr int kNoFlip = 2;
  constexpr int kFlips[kMost + 1] = {kNoFlip, kNoFlip, 1, -1, 0, kNoFlip, 1, -1, 0};
  cv::Mat picture = stored;
  if (lies_on_its_side(orientation)) cv::transpose(stored, picture);
  if (kFlips[orientation] == kNoFlip) return picture;
  cv::Mat flipped;
  cv::flip(picture, flipped, kFlips[orientation]);
  return flipped;
}

}  // namespace nbs::data
