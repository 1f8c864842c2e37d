// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace nbs::crf {

/// Pixels handled together. Eight floats are one AVX2 register; other instruction sets get them in parts.
inline constexpr int kLanes = 8;
using Floats = float __attribute__((vector_size(4 * kLanes), may_alias));
using Ints = std::int32_t __attribute__((vector_size(4 * kLanes), may_alias));
/// A block at any place of an array of floats.
using FloatsAnywhere = float __attribute__((vector_size(4 * kLanes), may_alias, aligned(4)));

/// The order of pixels: each lane has a segment of the image of its own, so that the 8 pixels of a block lie far apart
/// and rarely add to the same vertex: an addition would have to wait for the one before.
class Segments {
 public:
  Segments() = default;
  explicit Segments(std::int64_t pixels) : pixels_(pixels), length_((pixels + kLanes - 1) / kLanes) {
    // Segments a large power of two apart would all fall into the same few cache lines.
    if (length_ % 256 == 0) length_ += 16;
  }

  std::int64_t pixels() const { return pixels_; }
  std::int64_t blocks() const { return length_; }
  /// Values of a whole image, rounded up to blocks.
  std::int64_t size() const { return length_ * kLanes; }
  /// The pixel of a lane of a block; beyond the image for lanes from count() on.
  std::int64_t pixel(std::int64_t block, int lane) const { return lane * length_ + block; }
  /// How many lanes of a block hold a pixel: the first ones.
  int count(std::int64_t block) const {
    return static_cast<int>(
        std::min<std::int64_t>(kLanes, std::max<std::int64_t>(0, pixels_ - block + length_ - 1) / length_));
  }

  /// From the image's order to blocks [size()], 0 where there is no pixel.
  void gather(const float* image, float* blocks) const {
    for (std::int64_t b = 0; b < length_; ++b) {
      const int lanes = count(b);
      for (int l = 0; l < lanes; ++l)
        blocks[b * kLanes + l] = image[pixel(b, l)];
      for (int l = lanes; l < kLanes; ++l)
        blocks[b * kLanes + l] = 0;
    }
  }

  /// Back to the image's order.
  void scatter(const float* blocks, float* image) const {
    for (std::int64_t b = 0; b < length_; ++b) {
      const int lanes = count(b);
      for (int l = 0; l < lanes; ++l)
        image[pixel(b, l)] = blocks[b * kLanes + l];
    }
  }

 private:
  std::int64_t pixels_ = 0;
  std::int64_t length_ = 0;
};

}  // namespace nbs::crf
