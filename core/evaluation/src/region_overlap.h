// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

#include "nbs/evaluation/pixel_levels.h"

namespace nbs::evaluation {

/// The area under the per-region overlap curve from levels as they come, highest first.
class RegionOverlap {
 public:
  RegionOverlap(std::int64_t regions, std::int64_t normal, double limit)
      : regions_(regions), normal_(normal), limit_(limit) {}

  /// Returns whether more levels are wanted. All pixels that share a probability come in together.
  bool add(const PixelLevel& level) {
    if (!defined()) return false;
    const double overlap_before = overlap_;
    const double rate_before = rate_;
    for (const double share : level.shares)
      overlap_ += share / static_cast<double>(regions_);
    seen_ += level.normal;
    rate_ = static_cast<double>(seen_) / static_cast<double>(normal_);
    if (rate_ <= limit_) {
      area_ += (rate_ - rate_before) * (overlap_ + overlap_before) / 2;
      return true;
    }
    const double at_limit =
        overlap_before + (overlap_ - overlap_before) * (limit_ - rate_before) / (rate_ - rate_before);
    area_ += (limit_ - rate_before) * (overlap_before + at_limit) / 2;
    return false;
  }
  double value() const { return defined() ? area_ / limit_ : std::numeric_limits<double>::quiet_NaN(); }

 private:
  bool defined() const { return regions_ > 0 && normal_ > 0; }

  std::int64_t regions_;
  std::int64_t normal_;
  double limit_;
  double area_ = 0;
  double overlap_ = 0;
  double rate_ = 0;
  std::int64_t seen_ = 0;
};

}  // namespace nbs::evaluation
