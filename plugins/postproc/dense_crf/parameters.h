// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace nbs::crf {

/// How kernel sums are normalized; n_i = sum_j k(i, j), j = i included. Which one is used changes the result a lot.
enum class Normalization {
  symmetric,  ///< k(i, j) / sqrt(n_i n_j)
  before,     ///< k(i, j) / n_j
  after,      ///< k(i, j) / n_i
  none,       ///< k(i, j)
};

/// A fully connected CRF of two labels (Kraehenbuehl and Koltun 2011). Sigmas are standard deviations: `x`, `y` in
/// pixels, colors in levels of 0..255. The defaults are those of the field, made for photographs of objects.
struct Parameters {
  struct Smoothness {
    double x = 3;
    double y = 3;
    double weight = 3;
  } smoothness;
  struct Appearance {
    double x = 80;
    double y = 80;
    std::array<double, 3> color = {13, 13, 13};
    double weight = 10;
  } appearance;
  std::int64_t iterations = 5;
  Normalization normalization = Normalization::symmetric;
};

/// Throws nbs::Error for a sigma that is not above 0, a weight below 0, a value that is not finite, a negative number
/// of iterations.
void check(const Parameters& parameters);

/// An image in planes, [channels = 3][height][width], whose values times `levels` are colors of 0..255.
struct Image {
  const float* planes = nullptr;
  std::int64_t height = 0;
  std::int64_t width = 0;
  float levels = 255;

  std::int64_t pixels() const { return height * width; }
};

/// Throws nbs::Error for an empty image, a value that is not finite, or one far outside 0..255.
void check(const Image& image);

}  // namespace nbs::crf
