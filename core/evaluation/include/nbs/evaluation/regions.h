// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/evaluation/scored_image.h"

namespace nbs::evaluation {

/// Area under the per-region overlap curve (Bergmann et al. 2021): mean over all anomalous regions (8-connected) of the
/// share that is found, against the false positive rate, integrated from 0 to `limit` by trapezoids and divided by
/// `limit`. NaN without a region or without a normal pixel.
constexpr double kOverlapLimit = 0.3;
double area_under_region_overlap(const std::vector<ScoredImage>& images, double limit = kOverlapLimit);

/// Area in pixels of the largest 8-connected region of probabilities >= threshold; the mask is not looked at.
std::int64_t largest_region(const ScoredImage& image, double threshold);

}  // namespace nbs::evaluation
