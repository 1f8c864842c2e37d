// SPDX-License-Identifier: Apache-2.0
#include "parameters.h"

#include <cmath>
#include <string>

#include "nbs/error.h"
#include "nbs/multiversion.h"

namespace nbs::crf {

namespace {

void check_sigma(const char* name, double value) {
  if (std::isfinite(value) && value > 0) return;
  throw Error(std::string("the CRF's ") + name + " is " + std::to_string(value) +
              ", but a standard deviation must be a number above 0");
}

void check_weight(const char* name, double value) {
  if (std::isfinite(value) && value >= 0) return;
  throw Error(std::string("the CRF's ") + name + " weight is " + std::to_string(value) +
              ", but a weight must be a number of at least 0");
}

// The count of values outside [low, high]; NaN counts.
NBS_MULTIVERSION
std::int64_t count_outside(const float* values, std::int64_t count, float low, float high) {
  std::int64_t outside = 0;
  for (std::int64_t i = 0; i < count; ++i)
    outside += (values[i] >= low) & (values[i] <= high) ? 0 : 1;
  return outside;
}

}  // namespace

void check(const Parameters& parameters) {
  const auto& smoothness = parameters.smoothness;
  const auto& appearance = parameters.appearance;
  check_sigma("smoothness sigma along x", smoothness.x);
  check_sigma("smoothness sigma along y", smoothness.y);
  check_sigma("appearance sigma along x", appearance.x);
  check_sigma("appearance sigma along y", appearance.y);
  for (const double sigma : appearance.color)
    check_sigma("appearance sigma of a color", sigma);
  check_weight("smoothness", smoothness.weight);
  check_weight("appearance", appearance.weight);
  if (parameters.iterations < 0) {
    throw Error("the CRF's number of iterations is " + std::to_string(parameters.iterations) +
                ", but it must be at least 0");
  }
}

void check(const Image& image) {
  if (image.height < 1 || image.width < 1) {
    throw Error("the image of the CRF is empty: " + std::to_string(image.width) + " x " + std::to_string(image.height) +
                " pixels");
  }
  // Some room around 0..255: resizing and augmentation overshoot.
  const std::int64_t bad = count_outside(image.planes, 3 * image.pixels(), -255 / image.levels, 510 / image.levels);
  if (bad > 0) {
    throw Error("the image of the CRF holds " + std::to_string(bad) +
                " values that are not numbers or lie far outside the range of colors");
  }
}

}  // namespace nbs::crf
