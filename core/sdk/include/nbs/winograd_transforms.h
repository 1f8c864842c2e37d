// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nbs::winograd {

// Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray, "Fast algorithms for convolutional neural networks", CVPR
// 2016): 36 multiplications give 4x4 results of a 3x3 kernel, where the definition takes 144. A tile of 6x6 inputs and
// the kernel are taken to 36 *planes*, in which the convolution is a matrix product of pixels and channels each, and
// the results are taken back. In float32 the rounding errors are about ten times those of the plain sums.
//

constexpr std::int64_t kTile = 4;     ///< rows and columns of a tile of results
constexpr std::int64_t kPatch = 6;    ///< of the inputs that it depends on
constexpr std::int64_t kPlanes = 36;  ///< kPatch x kPatch

#define NBS_INLINE inline __attribute__((always_inline))

// The transforms of one dimension; points 0, 1, -1, 2, -2 and infinity.

/// The planes of the points 1, -1, 2 and -2, by the even and odd powers of a polynomial at 1 and at 2.
template <typename T>
NBS_INLINE void at_points(const T& even, const T& odd, const T& far_even, const T& far_odd, T (&planes)[6]) {
  planes[1] = even + odd;
  planes[2] = even - odd;
  planes[3] = far_even + far_odd;
  planes[4] = far_even - far_odd;
}

/// B^T: inputs to planes.
struct ToInput {
  static constexpr int kFrom = 6, kTo = 6;
  template <typename T>
  static NBS_INLINE void apply(const T (&d)[6], T (&v)[6]) {
    const T even = d[4] - 4.0F * d[2];
    const T odd = d[3] - 4.0F * d[1];
    const T far_even = d[4] - d[2];
    const T far_odd = 2.0F * (d[3] - d[1]);
    v[0] = even + 4.0F * d[0] - d[2];
    at_points(even, odd, far_even, far_odd, v);
    v[5] = 4.0F * d[1] - 5.0F * d[3] + d[5];
  }
};

/// A^T: planes to results.
struct FromOutput {
  static constexpr int kFrom = 6, kTo = 4;
  template <typename T>
  static NBS_INLINE void apply(const T (&m)[6], T (&y)[4]) {
    const T near_sum = m[1] + m[2];
    const T near_difference = m[1] - m[2];
    const T far_sum = m[3] + m[4];
    const T far_difference = m[3] - m[4];
    y[0] = m[0] + near_sum + far_sum;
    y[1] = near_difference + 2.0F * far_difference;
    y[2] = near_sum + 4.0F * far_sum;
    y[3] = near_difference + 8.0F * far_difference + m[5];
  }
};

/// A: gradients of results to planes.
struct ToOutputGradient {
  static constexpr int kFrom = 4, kTo = 6;
  template <typename T>
  static NBS_INLINE void apply(const T (&g)[4], T (&v)[6]) {
    const T even = g[0] + g[2];
    const T odd = g[1] + g[3];
    const T far_even = g[0] + 4.0F * g[2];
    const T far_odd = 2.0F * g[1] + 8.0F * g[3];
    v[0] = g[0];
    at_points(even, odd, far_even, far_odd, v);
    v[5] = g[3];
  }
};

/// G: kernels to planes.
struct ToKernel {
  static constexpr int kFrom = 3, kTo = 6;
  template <typename T>
  static NBS_INLINE void apply(const T (&g)[3], T (&u)[6]) {
    const T even = (g[0] + g[2]) * (-1.0F / 6);
    const T odd = g[1] * (-1.0F / 6);
    const T far_even = g[0] * (1.0F / 24) + g[2] * (1.0F / 6);
    const T far_odd = g[1] * (1.0F / 12);
    u[0] = g[0] * 0.25F;
    at_points(even, odd, far_even, far_odd, u);
    u[5] = g[2];
  }
};

/// G^T: gradients in planes to those of kernels.
struct FromKernelGradient {
  static constexpr int kFrom = 6, kTo = 3;
  template <typename T>
  static NBS_INLINE void apply(const T (&u)[6], T (&g)[3]) {
    const T near_sum = (u[1] + u[2]) * (-1.0F / 6);
    const T far_sum = u[3] + u[4];
    g[0] = u[0] * 0.25F + near_sum + far_sum * (1.0F / 24);
    g[1] = (u[2] - u[1]) * (1.0F / 6) + (u[3] - u[4]) * (1.0F / 12);
    g[2] = near_sum + far_sum * (1.0F / 6) + u[5];
  }
};

/// One of them along both dimensions: `from(row, column, value)` gives numbers, `to(row, column, value)` takes them.
template <typename Transform, typename T, typename From, typename To>
NBS_INLINE void transform(const From& from, const To& to) {
  T half[Transform::kFrom][Transform::kTo];
#pragma GCC unroll 8
  for (int row = 0; row < Transform::kFrom; ++row) {
    T line[Transform::kFrom];
#pragma GCC unroll 8
    for (int column = 0; column < Transform::kFrom; ++column)
      from(row, column, line[column]);
    Transform::apply(line, half[row]);
  }
#pragma GCC unroll 8
  for (int column = 0; column < Transform::kTo; ++column) {
    T line[Transform::kFrom];
    T result[Transform::kTo];
#pragma GCC unroll 8
    for (int row = 0; row < Transform::kFrom; ++row)
      line[row] = half[row][column];
    Transform::apply(line, result);
#pragma GCC unroll 8
    for (int row = 0; row < Transform::kTo; ++row)
      to(row, column, result[row]);
  }
}
#undef NBS_INLINE

}  // namespace nbs::winograd
