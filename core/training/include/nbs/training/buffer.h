// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "nbs/tensor.h"
#include "nbs/training/state_io.h"

namespace nbs::training {

/// A profile in the buffer. Consecutive profiles of an image share T - 1 maps, so it holds references to maps, not
/// copies: a buffer of hundreds of profiles costs little more than the maps themselves.
struct BufferedProfile {
  std::int64_t image = 0;           ///< labeled image, 0 … L-1
  std::vector<torch::Tensor> maps;  ///< T maps [S, S], oldest first
  std::vector<double> scales;       ///< what each map is to be divided by
};

/// First in, first out, of fixed capacity (Algorithm 1).
class ProfileBuffer {
 public:
  explicit ProfileBuffer(std::int64_t capacity) : capacity_(capacity) {}
  void push(BufferedProfile profile);
  bool empty() const { return profiles_.empty(); }
  std::int64_t size() const { return static_cast<std::int64_t>(profiles_.size()); }
  const BufferedProfile& at(std::int64_t index) const { return profiles_[index]; }

  void save(StateWriter& writer) const;
  /// `images`: of how many images there may be profiles; `length`: T; `image_size`: S. Throws nbs::Error.
  void load(const StateReader& reader, std::int64_t images, std::int64_t length, std::int64_t image_size);

 private:
  std::int64_t capacity_;
  std::deque<BufferedProfile> profiles_;
};

}  // namespace nbs::training
