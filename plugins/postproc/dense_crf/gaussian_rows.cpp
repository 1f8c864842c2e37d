// SPDX-License-Identifier: Apache-2.0
#include "gaussian_rows.h"

#include <algorithm>
#include <cmath>

#include "nbs/multiversion.h"

#include "lanes.h"

namespace nbs::crf {

namespace {

// Four registers of values at a time, so that their sums stay in registers over all taps.
constexpr std::int64_t kChunk = 4 * kLanes;

NBS_MULTIVERSION
void add_lines(const float* from, std::int64_t first, std::int64_t last, std::int64_t center, std::int64_t length,
               const float* taps, float* to) {
  std::int64_t i = 0;
  for (; i + kChunk <= length; i += kChunk) {
    Floats sum[4] = {};
    for (std::int64_t line = first; line <= last; ++line) {
      const float tap = taps[line > center ? line - center : center - line];
      const float* const values = from + line * length + i;
      for (int part = 0; part < 4; ++part)
        sum[part] += tap * *reinterpret_cast<const FloatsAnywhere*>(values + part * kLanes);
    }
    for (int part = 0; part < 4; ++part)
      *reinterpret_cast<FloatsAnywhere*>(to + i + part * kLanes) = sum[part];
  }
  for (; i < length; ++i) {
    float sum = 0;
    for (std::int64_t line = first; line <= last; ++line)
      sum += taps[line > center ? line - center : center - line] * from[line * length + i];
    to[i] = sum;
  }
}

// `padded`: `reach` zeros, the line, zeros up to a whole chunk and `reach` more.
NBS_MULTIVERSION
void blur_line(const float* padded, std::int64_t length, std::int64_t reach, const float* taps, float* to) {
  for (std::int64_t i = 0; i < length; i += kChunk) {
    Floats sum[4] = {};
    for (std::int64_t t = -reach; t <= reach; ++t) {
      const float tap = taps[t < 0 ? -t : t];
      const float* const values = padded + reach + i + t;
      for (int part = 0; part < 4; ++part)
        sum[part] += tap * *reinterpret_cast<const FloatsAnywhere*>(values + part * kLanes);
    }
    const std::int64_t count = std::min(kChunk, length - i);
    std::copy_n(reinterpret_cast<const float*>(sum), count, to + i);
  }
}

}  // namespace

std::vector<float> gaussian_taps(double sigma, double peak) {
  std::vector<float> taps;
  for (std::int64_t t = 0; t <= static_cast<std::int64_t>(4.5 * sigma) + 1; ++t) {
    const double distance = static_cast<double>(t) / sigma;
    taps.push_back(static_cast<float>(peak * std::exp(-0.5 * distance * distance)));
  }
  return taps;
}

void blur_lines(const float* from, std::int64_t lines, std::int64_t length, std::int64_t arrays,
                std::int64_t array_step, const std::vector<float>& taps, float* to) {
  const auto reach = static_cast<std::int64_t>(taps.size()) - 1;
  for (std::int64_t a = 0; a < arrays; ++a) {
    for (std::int64_t line = 0; line < lines; ++line) {
      add_lines(from + a * array_step, std::max<std::int64_t>(0, line - reach), std::min(lines - 1, line + reach), line,
                length, taps.data(), to + a * array_step + line * length);
    }
  }
}

void blur_values(const float* from, std::int64_t lines, std::int64_t length, const std::vector<float>& taps,
                 float* to) {
  // Beyond the line's own length all taps meet zeros.
  const std::int64_t reach = std::min(static_cast<std::int64_t>(taps.size()) - 1, length - 1);
  std::vector<float> padded(static_cast<std::size_t>(2 * reach + (length + kChunk - 1) / kChunk * kChunk));
  for (std::int64_t line = 0; line < lines; ++line) {
    std::copy_n(from + line * length, length, padded.data() + reach);
    blur_line(padded.data(), length, reach, taps.data(), to + line * length);
  }
}

}  // namespace nbs::crf
