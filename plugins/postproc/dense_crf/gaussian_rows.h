// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

namespace nbs::crf {

/// Taps from the center outwards, `peak` * exp(-t^2 / (2 sigma^2)), to 4.5 sigma.
std::vector<float> gaussian_taps(double sigma, double peak);

/// Convolves lines with symmetric taps; outside are zeros. `arrays` arrays, `array_step` apart, of `lines` lines of
/// `length` neighboring values: each line becomes a weighted sum of the lines near it.
void blur_lines(const float* from, std::int64_t lines, std::int64_t length, std::int64_t arrays,
                std::int64_t array_step, const std::vector<float>& taps, float* to);

/// The same along the values of each of `lines` lines.
void blur_values(const float* from, std::int64_t lines, std::int64_t length, const std::vector<float>& taps, float* to);

}  // namespace nbs::crf
