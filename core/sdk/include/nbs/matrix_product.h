// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nbs/vectors.h"

namespace nbs {

#define NBS_INLINE inline __attribute__((always_inline))

/// A matrix product: out[i][k] (+)= sum over r of a[i][r] b[r][k], on one core.
struct MatrixProduct {
  const float* a;        ///< any order of rows and columns
  std::int64_t a_row;    ///< numbers from i to i + 1
  std::int64_t a_sum;    ///< numbers from r to r + 1
  const float* b;        ///< row by row
  std::int64_t b_row;    ///< numbers from r to r + 1
  float* out;            ///< row by row
  std::int64_t out_row;  ///< numbers from i to i + 1
  std::int64_t rows;     ///< of i
  std::int64_t sums;     ///< of r
  std::int64_t columns;  ///< of k; the last ones that are no whole vector take longer
  bool add;              ///< to what is there, or in its place

  /// For the instruction set `Width`, vectors::Avx512, Avx2 or Narrow.
  template <typename Width>
  NBS_INLINE void run() const {
    using Vector = typename Width::Vector;
    constexpr std::int64_t kLanes = sizeof(Vector) / sizeof(float);
    std::int64_t column = 0;
    for (; column + 2 * kLanes <= columns; column += 2 * kLanes)
      column_of_tiles<Vector, Width::kRowsOfPairs, 2>(column);
    for (; column + kLanes <= columns; column += kLanes)
      column_of_tiles<Vector, Width::kRows, 1>(column);
    for (; column + 8 <= columns; column += 8)
      column_of_tiles<vectors::Eight, Width::kRows, 1>(column);
    for (; column + 4 <= columns; column += 4)
      column_of_tiles<vectors::Four, Width::kRows, 1>(column);
    for (; column < columns; ++column)
      column_of_tiles<float, Width::kRows, 1>(column);
  }

 private:
  template <typename T, int Rows, int Vectors>
  NBS_INLINE void tile(std::int64_t row, std::int64_t column) const {
    // NOLINTNEXTLINE(bugprone-sizeof-expression): T may be a single float.
    constexpr std::int64_t kLanes = sizeof(T) / sizeof(float);
    T sum[Rows][Vectors];
    float* const to = out + row * out_row + column;
    for (int i = 0; i < Rows; ++i) {
      for (int v = 0; v < Vectors; ++v) {
        sum[i][v] = T{};
        if (add) vectors::load(to + i * out_row + v * kLanes, sum[i][v]);
      }
    }
    const float* left = a + row * a_row;
    const float* right = b + column;
    for (std::int64_t r = 0; r < sums; ++r, left += a_sum, right += b_row) {
      for (int v = 0; v < Vectors; ++v) {
        T weight;
        vectors::load(right + v * kLanes, weight);
        for (int i = 0; i < Rows; ++i)
          sum[i][v] += left[i * a_row] * weight;
      }
    }
    for (int i = 0; i < Rows; ++i) {
      for (int v = 0; v < Vectors; ++v)
        vectors::store(sum[i][v], to + i * out_row + v * kLanes);
    }
  }
  template <typename T, int Rows, int Vectors>
  NBS_INLINE void column_of_tiles(std::int64_t column) const {
    std::int64_t row = 0;
    for (; row + Rows <= rows; row += Rows)
      tile<T, Rows, Vectors>(row, column);
    if constexpr (Rows > 4) {
      for (; row + 4 <= rows; row += 4)
        tile<T, 4, Vectors>(row, column);
    }
    for (; row + 2 <= rows; row += 2)
      tile<T, 2, Vectors>(row, column);
    for (; row < rows; ++row)
      tile<T, 1, Vectors>(row, column);
  }
};

/// A product as vectors::run_in_widest() wants it.
struct MatrixProductPass {
  MatrixProduct product;  ///< all of it, whatever part is asked for

  /// For the instruction set `Width`.
  template <typename Width>
  NBS_INLINE void run(std::int64_t, std::int64_t) const {
    product.template run<Width>();
  }
};
#undef NBS_INLINE

/// Runs one product with the widest vectors that the processor has.
inline void multiply(const MatrixProduct& product) {
  vectors::run_in_widest(MatrixProductPass{product}, 0, 1);
}

}  // namespace nbs
