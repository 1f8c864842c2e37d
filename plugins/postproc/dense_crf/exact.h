// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "parameters.h"

namespace nbs::crf {

/// The most pixels that exact_mean_field takes: 256 x 256 need about a minute.
inline constexpr std::int64_t kExactPixels = 65536;

/// As mean_field, by summing over all pairs of pixels in double precision: for small images, and to test the lattice
/// against. `log_odds`, the result: [pixels]. Throws nbs::Error for more than kExactPixels pixels.
std::vector<double> exact_mean_field(const Parameters& parameters, const Image& image,
                                     const std::vector<double>& log_odds);

/// out_i = sum_j k(i, j) in_j of the smoothness kernel, or of the appearance kernel; not normalized.
std::vector<double> exact_smoothness(const Parameters& parameters, const Image& image, const std::vector<double>& in);
std::vector<double> exact_appearance(const Parameters& parameters, const Image& image, const std::vector<double>& in);

}  // namespace nbs::crf
