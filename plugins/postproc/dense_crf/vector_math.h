// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

#include "lanes.h"

// Elementary functions written so that a loop over them becomes vector code in every instruction set (the library's own
// are calls). Polynomials are Taylor or Cephes'; errors are a few units in the last place.

namespace nbs::crf {

template <typename To, typename From>
__attribute__((always_inline)) inline To bits_of(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

/// e^x for a block; x is first brought into [-87, 87].
__attribute__((always_inline)) inline Floats exponential(Floats x) {
  x = x < -87.0F ? Floats{} - 87.0F : x;
  x = x > 87.0F ? Floats{} + 87.0F : x;
  constexpr float kMagic = 12582912.0F;  // adding it leaves the nearest integer in the low bits
  const Floats shifted = x * 1.44269504F + kMagic;
  const Ints power = reinterpret_cast<const Ints&>(shifted) - 0x4B400000;
  const Floats n = shifted - kMagic;
  const Floats r = (x - n * 0.693359375F) - n * -2.12194440e-4F;
  Floats p = r * 1.9875691500e-4F + 1.3981999507e-3F;
  p = p * r + 8.3334519073e-3F;
  p = p * r + 4.1665795894e-2F;
  p = p * r + 1.6666665459e-1F;
  p = p * r + 5.0000001201e-1F;
  p = p * r * r + r + 1.0F;
  const Ints scale = (power + 127) << 23;
  return p * reinterpret_cast<const Floats&>(scale);
}

/// e^x in double precision; x is first brought into [-700, 700].
__attribute__((always_inline)) inline double exponential(double x) {
  x = x < -700.0 ? -700.0 : x;
  x = x > 700.0 ? 700.0 : x;
  constexpr double kMagic = 6755399441055744.0;
  const double shifted = x * 1.4426950408889634 + kMagic;
  const auto power = bits_of<std::int64_t>(shifted) - bits_of<std::int64_t>(kMagic);
  const double n = shifted - kMagic;
  const double r = (x - n * 6.93145751953125e-1) - n * 1.42860682030941723212e-6;
  double p = 1.0 / 479001600;
  for (const double inverse_factorial : {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                                         1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0})
    p = p * r + inverse_factorial;
  return p * bits_of<double>((power + 1023) << 52);
}

/// tanh(x / 2).
template <typename Real>
__attribute__((always_inline)) inline Real half_tanh(Real x) {
  return 1.0F - 2.0F / (1.0F + exponential(x));
}

/// Natural logarithm of a normal x > 0.
__attribute__((always_inline)) inline float logarithm(float x) {
  const auto bits = bits_of<std::int32_t>(x);
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)).
  const std::int32_t e = (bits - 0x3f3504f3) >> 23;
  const float m = bits_of<float>(bits - e * (1 << 23)) - 1.0F;
  float p = 7.0376836292e-2F;
  p = p * m - 1.1514610310e-1F;
  p = p * m + 1.1676998740e-1F;
  p = p * m - 1.2420140846e-1F;
  p = p * m + 1.4249322787e-1F;
  p = p * m - 1.6668057665e-1F;
  p = p * m + 2.0000714765e-1F;
  p = p * m - 2.4999993993e-1F;
  p = p * m + 3.3333331174e-1F;
  const auto n = static_cast<float>(e);
  const float square = m * m;
  return (p * m * square + n * -2.12194440e-4F - 0.5F * square) + m + n * 0.693359375F;
}

}  // namespace nbs::crf
