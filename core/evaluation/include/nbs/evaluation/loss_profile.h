// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "nbs/record/diagnostics.h"

namespace nbs::evaluation {

/// Gathers the losses of anomalous and of normal pixels in each map of the profiles of many images. It keeps counts of
/// losses, not losses: half a megabyte for each map and kind, however many pixels there are.
class LossProfiles {
 public:
  /// `length`: T.
  explicit LossProfiles(std::int64_t length);

  /// `profile`: [T, H, W], 0 or more; `mask`: [H, W], 1 = anomalous.
  void add(const float* profile, const std::vector<std::uint8_t>& mask);

  /// Means are exact. A quartile is exact but for a 256th of its value: losses that differ by less are counted as one.
  record::LossProfile summary() const;

 private:
  // The losses of one kind of pixel in one map.
  struct Losses {
    std::vector<std::int64_t> counts;  // by the leading bits of the loss
    double sum = 0;

    void add(float loss);
    double quantile(double share, std::int64_t pixels) const;
  };
  record::PixelProfile summary_of(std::size_t kind) const;

  std::vector<std::array<Losses, 2>> maps_;  // T of them; normal pixels, then anomalous ones
  std::array<std::int64_t, 2> pixels_{};
};

}  // namespace nbs::evaluation
