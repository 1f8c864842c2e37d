// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <vector>

#include "nbs/record/scores.h"

namespace nbs::record {

// How much a number that was counted over a few images says of others: the bootstrap (Efron 1979). The images are drawn
// anew, with repetition, 2,000 times from a fixed seed, and each time their pixels are added up. Between the ends of an
// interval lie nine of ten resamples; with as few as five images that is rough.

struct Interval {
  double low = 0;
  double high = 0;
};

/// Of F1. Nothing if no image shows an anomaly, or if their counts are not known.
std::optional<Interval> f1_interval(const std::vector<ImageScore>& images);

/// Of the F1 of `a` less that of `b`, on the same images in the same order: both are drawn together, so that an image
/// which is hard for both does not make the difference uncertain. Nothing if the images differ, or as above.
std::optional<Interval> f1_difference(const std::vector<ImageScore>& a, const std::vector<ImageScore>& b);

}  // namespace nbs::record
