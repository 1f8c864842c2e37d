// SPDX-License-Identifier: Apache-2.0
#include "grid.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "nbs/error.h"
#include "nbs/multiversion.h"

#include "gaussian_rows.h"
#include "vector_math.h"

namespace nbs::crf {

namespace {

constexpr std::int64_t kLevels = 256;
constexpr std::int64_t kMostCells = std::int64_t{1} << 26;

// One spatial axis of the grid: cells `step` pixels apart.
struct Axis {
  double step;
  std::int64_t cells;
  std::vector<float> taps;         // of the blur, from the center
  std::vector<std::int32_t> cell;  // by pixel: the cell below
  std::vector<float> fraction;     // towards the next one

  Axis(std::int64_t pixels, double sigma)
      : step(std::max(1.0, sigma / 2)), cells(static_cast<std::int64_t>(std::ceil((pixels - 1) / step)) + 2) {
    // Interpolating twice, in and out, blurs by itself: a variance of step^2 / 6 each time, unless cells are pixels.
    const double variance = sigma * sigma - (step > 1 ? step * step / 3 : 0);
    taps = gaussian_taps(std::sqrt(variance) / step, sigma / std::sqrt(variance));
    for (std::int64_t i = 0; i < pixels; ++i) {
      const double place = static_cast<double>(i) / step;
      cell.push_back(static_cast<std::int32_t>(place));
      fraction.push_back(static_cast<float>(place - std::floor(place)));
    }
  }
};

// The appearance kernel's sums. Cells [y][x][level], levels along the lanes.
class Grid {
 public:
  Grid(const Parameters& parameters, const Image& image, GridWorkspace& workspace)
      : image_(image),
        x_(image.width, parameters.appearance.x),
        y_(image.height, parameters.appearance.y),
        workspace_(workspace) {
    if (static_cast<double>(x_.cells) * static_cast<double>(y_.cells) * kLevels > kMostCells) {
      throw Error("the CRF's grid would need " + std::to_string(x_.cells) + " x " + std::to_string(y_.cells) +
                  " x 256 cells; use larger appearance sigmas along x and y, or mode \"lattice\"");
    }
    double precision = 0;
    for (const double sigma : parameters.appearance.color)
      precision += 1 / (sigma * sigma);
    level_taps_ = gaussian_taps(1 / std::sqrt(precision), 1);
    const std::int64_t pixels = image.pixels();
    level_.resize(static_cast<std::size_t>(pixels));
    for (std::int64_t i = 0; i < pixels; ++i) {
      const float gray = image.planes[i] * image.levels;
      for (int c = 1; c < 3; ++c) {
        const float other = image.planes[c * pixels + i] * image.levels;
        if (std::abs(other - gray) < 0.5F) continue;
        throw Error("the CRF's mode \"grid\" is for gray images, but the pixel at (" + std::to_string(i % image.width) +
                    ", " + std::to_string(i / image.width) + ") has the levels " + std::to_string(gray) + " and " +
                    std::to_string(other) + "; use mode \"lattice\"");
      }
      level_[i] = static_cast<std::int32_t>(std::lround(std::min(std::max(gray, 0.0F), 255.0F)));
    }
    const auto size = static_cast<std::size_t>(x_.cells * y_.cells * kLevels);
    workspace.cells.resize(size);
    workspace.scratch.resize(size);
  }

  void sums(const float* in, float* out) const {
    const std::int64_t row = x_.cells * kLevels;
    float* const cells = workspace_.cells.data();
    float* const scratch = workspace_.scratch.data();
    std::fill(workspace_.cells.begin(), workspace_.cells.end(), 0.0F);
    for (std::int64_t y = 0, i = 0; y < image_.height; ++y) {
      const float below = y_.fraction[y];
      for (std::int64_t x = 0; x < image_.width; ++x, ++i) {
        float* const cell = cells + y_.cell[y] * row + x_.cell[x] * kLevels + level_[i];
        const float right = x_.fraction[x] * in[i];
        const float left = in[i] - right;
        cell[0] += left - below * left;
        cell[kLevels] += right - below * right;
        cell[row] += below * left;
        cell[row + kLevels] += below * right;
      }
    }
    // Along y whole rows of cells at a time, along x all levels of a cell, then the levels.
    blur_lines(cells, y_.cells, row, 1, 0, y_.taps, scratch);
    blur_lines(scratch, x_.cells, kLevels, y_.cells, row, x_.taps, cells);
    blur_values(cells, x_.cells * y_.cells, kLevels, level_taps_, scratch);
    for (std::int64_t y = 0, i = 0; y < image_.height; ++y) {
      const float below = y_.fraction[y];
      for (std::int64_t x = 0; x < image_.width; ++x, ++i) {
        const float* const cell = scratch + y_.cell[y] * row + x_.cell[x] * kLevels + level_[i];
        const float right = x_.fraction[x];
        const float upper = cell[0] + right * (cell[kLevels] - cell[0]);
        const float lower = cell[row] + right * (cell[row + kLevels] - cell[row]);
        out[i] = upper + below * (lower - upper);
      }
    }
  }

 private:
  const Image& image_;
  Axis x_;
  Axis y_;
  std::vector<float> level_taps_;
  std::vector<std::int32_t> level_;  // by pixel, 0..255
  GridWorkspace& workspace_;
};

// The smoothness kernel's sums.
class Smoothing {
 public:
  Smoothing(const Parameters& parameters, const Image& image)
      : image_(image),
        x_(gaussian_taps(parameters.smoothness.x, 1)),
        y_(gaussian_taps(parameters.smoothness.y, 1)),
        rows_(static_cast<std::size_t>(image.pixels())) {}

  void sums(const float* in, float* out) {
    blur_values(in, image_.height, image_.width, x_, rows_.data());
    blur_lines(rows_.data(), image_.height, image_.width, 1, 0, y_, out);
  }

 private:
  const Image& image_;
  std::vector<float> x_;
  std::vector<float> y_;
  std::vector<float> rows_;
};

NBS_MULTIVERSION
void multiply(const float* a, const float* b, std::int64_t count, float* product) {
  for (std::int64_t i = 0; i < count; ++i)
    product[i] = a[i] * b[i];
}
NBS_MULTIVERSION
void add_product(const float* a, const float* b, float weight, std::int64_t count, float* sum) {
  for (std::int64_t i = 0; i < count; ++i)
    sum[i] += weight * a[i] * b[i];
}
NBS_MULTIVERSION
void half_tanh_of(const float* z, std::int64_t count, float* s) {
  for (std::int64_t i = 0; i < count; i += kLanes) {
    const std::int64_t lanes = std::min<std::int64_t>(kLanes, count - i);
    Floats block = {};
    std::memcpy(&block, z + i, lanes * sizeof(float));
    block = half_tanh(block);
    std::memcpy(s + i, &block, lanes * sizeof(float));
  }
}

// Adds weight * after * sums(before * s) to z, iteration by iteration.
template <typename Sums>
class NormalizedSums {
 public:
  NormalizedSums(Sums sums, double weight, Normalization normalization, std::int64_t pixels)
      : sums_(std::move(sums)), weight_(static_cast<float>(weight)), in_(pixels), out_(pixels) {
    before_.assign(static_cast<std::size_t>(pixels), 1.0F);
    after_ = before_;
    if (normalization == Normalization::none) return;
    sums_.sums(before_.data(), out_.data());
    for (float& sum : out_)
      sum = 1 / (normalization == Normalization::symmetric ? std::sqrt(sum + 1e-20F) : sum + 1e-20F);
    if (normalization != Normalization::after) before_ = out_;
    if (normalization != Normalization::before) after_ = out_;
  }

  void add_message(const float* s, float* z) {
    const auto pixels = static_cast<std::int64_t>(in_.size());
    multiply(before_.data(), s, pixels, in_.data());
    sums_.sums(in_.data(), out_.data());
    add_product(after_.data(), out_.data(), weight_, pixels, z);
  }

 private:
  Sums sums_;
  float weight_;
  std::vector<float> before_, after_, in_, out_;
};

}  // namespace

void grid_mean_field(const Parameters& parameters, const Image& image, const float* log_odds, float* result,
                     GridWorkspace& workspace) {
  check(image);
  const std::int64_t pixels = image.pixels();
  const std::vector<float> start(log_odds, log_odds + pixels);
  std::vector<float> z = start;
  std::vector<float> s(start.size());
  NormalizedSums smoothness(Smoothing(parameters, image), parameters.smoothness.weight, parameters.normalization,
                            pixels);
  NormalizedSums appearance(Grid(parameters, image, workspace), parameters.appearance.weight, parameters.normalization,
                            pixels);
  for (std::int64_t iteration = 0; iteration < parameters.iterations; ++iteration) {
    half_tanh_of(z.data(), pixels, s.data());
    z = start;
    smoothness.add_message(s.data(), z.data());
    appearance.add_message(s.data(), z.data());
  }
  std::copy_n(z.data(), pixels, result);
}

}  // namespace nbs::crf
