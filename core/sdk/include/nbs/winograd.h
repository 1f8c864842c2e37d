// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "nbs/widest_vectors.h"

namespace nbs::winograd {

// Winograd's minimal filtering F(4x4, 3x3) (Lavin & Gray, "Fast algorithms for convolutional neural networks", CVPR
// 2016): 36 multiplications give 4x4 results of a 3x3 kernel, where the definition takes 144. A tile of 6x6 inputs and
// the kernel are taken to 36 *planes*, in which the convolution is a matrix product of pixels and channels each, and
// the results are taken back. In float32 the rounding errors are about ten times those of the plain sums.
//
// Every pass is an object with a function run<Width>(first, last), which is compiled for several instruction sets.

constexpr std::int64_t kTile = 4;     ///< rows and columns of a tile of results
constexpr std::int64_t kPatch = 6;    ///< of the inputs that it depends on
constexpr std::int64_t kPlanes = 36;  ///< kPatch x kPatch

#define NBS_INLINE inline __attribute__((always_inline))

using Sixteen = float __attribute__((vector_size(64), aligned(4)));
using Eight = float __attribute__((vector_size(32), aligned(4)));
using Four = float __attribute__((vector_size(16), aligned(4)));

// An instruction set: its widest vector, and how many rows of a product are summed at once so that the sums fill its
// registers. GCC keeps vectors that are wider than the processor's in memory.
struct Avx512 {
  using Vector = Sixteen;
  static constexpr int kRowsOfPairs = 8;
  static constexpr int kRows = 16;
};
struct Avx2 {
  using Vector = Eight;
  static constexpr int kRowsOfPairs = 4;
  static constexpr int kRows = 8;
};
struct Narrow {
  using Vector = Four;
  static constexpr int kRowsOfPairs = 4;
  static constexpr int kRows = 8;
};

// Vectors are handed over by reference: by value, how they are passed would depend on the instruction set.
// A struct, as a template's argument loses its alignment; not memcpy(), which GCC splits into halves for AVX2.
template <typename T>
NBS_INLINE void load(const float* from, T& value) {
  struct __attribute__((packed, may_alias)) Anywhere {
    T value;
  };
  value = reinterpret_cast<const Anywhere*>(from)->value;
}
template <typename T>
NBS_INLINE void store(const T& value, float* to) {
  struct __attribute__((packed, may_alias)) Anywhere {
    T value;
  };
  reinterpret_cast<Anywhere*>(to)->value = value;
}

/// Channels that the planes have room for: a whole number of the smallest vectors.
inline std::int64_t padded(std::int64_t channels) {
  return (channels + 7) / 8 * 8;
}

// The transforms of one dimension; points 0, 1, -1, 2, -2 and infinity.

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
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = far_even + far_odd;
    v[4] = far_even - far_odd;
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
    v[1] = even + odd;
    v[2] = even - odd;
    v[3] = far_even + far_odd;
    v[4] = far_even - far_odd;
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
    u[1] = even + odd;
    u[2] = even - odd;
    u[3] = far_even + far_odd;
    u[4] = far_even - far_odd;
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

// Numbers that are worked on at once.
struct InSixteen {
  using Type = Sixteen;
};
struct InEight {
  using Type = Eight;
};
struct InFour {
  using Type = Four;
};
struct InOne {
  using Type = float;
};

/// Calls body(InSixteen(), c), body(InEight(), c) and so on, from the widest down, until all channels are done.
template <typename Width, typename Body>
NBS_INLINE void for_each_channel(std::int64_t channels, const Body& body) {
  std::int64_t c = 0;
  if constexpr (sizeof(typename Width::Vector) == sizeof(Sixteen)) {
    for (; c + 16 <= channels; c += 16)
      body(InSixteen(), c);
  }
  if constexpr (sizeof(typename Width::Vector) >= sizeof(Eight)) {
    for (; c + 8 <= channels; c += 8)
      body(InEight(), c);
  }
  for (; c + 4 <= channels; c += 4)
    body(InFour(), c);
  for (; c < channels; ++c)
    body(InOne(), c);
}

/// A matrix product: out[i][k] (+)= sum over r of a[i][r] b[r][k].
struct Product {
  const float* a;
  std::int64_t a_row;  // from i to i + 1
  std::int64_t a_sum;  // from r to r + 1
  const float* b;
  std::int64_t b_row;  // from r to r + 1
  float* out;
  std::int64_t out_row;
  std::int64_t rows, sums, columns;  // of i, r, k; a whole number of eight columns
  bool add;                          // to what is there

  template <typename T, int Rows, int Vectors>
  NBS_INLINE void tile(std::int64_t row, std::int64_t column) const {
    constexpr std::int64_t kLanes = sizeof(T) / sizeof(float);
    T sum[Rows][Vectors];
    float* const to = out + row * out_row + column;
    for (int i = 0; i < Rows; ++i) {
      for (int v = 0; v < Vectors; ++v) {
        sum[i][v] = T{};
        if (add) load(to + i * out_row + v * kLanes, sum[i][v]);
      }
    }
    const float* left = a + row * a_row;
    const float* right = b + column;
    for (std::int64_t r = 0; r < sums; ++r, left += a_sum, right += b_row) {
      for (int v = 0; v < Vectors; ++v) {
        T weight;
        load(right + v * kLanes, weight);
        for (int i = 0; i < Rows; ++i)
          sum[i][v] += left[i * a_row] * weight;
      }
    }
    for (int i = 0; i < Rows; ++i) {
      for (int v = 0; v < Vectors; ++v)
        store(sum[i][v], to + i * out_row + v * kLanes);
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
  template <typename Width>
  NBS_INLINE void run() const {
    using Vector = typename Width::Vector;
    constexpr std::int64_t kLanes = sizeof(Vector) / sizeof(float);
    std::int64_t column = 0;
    for (; column + 2 * kLanes <= columns; column += 2 * kLanes)
      column_of_tiles<Vector, Width::kRowsOfPairs, 2>(column);
    for (; column + kLanes <= columns; column += kLanes)
      column_of_tiles<Vector, Width::kRows, 1>(column);
    for (; column < columns; column += 8)
      column_of_tiles<Eight, Width::kRows, 1>(column);
  }
};

/// Calls pass.run<Width>(first, last), compiled for the widest vectors that the processor has.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
template <typename Pass>
__attribute__((target("arch=x86-64-v4"))) void run_v4(const Pass& pass, std::int64_t first, std::int64_t last) {
  pass.template run<Avx512>(first, last);
}
template <typename Pass>
__attribute__((target("arch=x86-64-v3"))) void run_v3(const Pass& pass, std::int64_t first, std::int64_t last) {
  pass.template run<Avx2>(first, last);
}
#endif
template <typename Pass>
void run_in_widest(const Pass& pass, std::int64_t first, std::int64_t last) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  if (vector_level() == 4) return run_v4(pass, first, last);
  if (vector_level() == 3) return run_v3(pass, first, last);
#endif
  pass.template run<Narrow>(first, last);
}

/// Images and how they are cut into tiles. With a dilation of d, pixels whose rows and columns leave the same
/// remainders by d see only each other, so each of these d x d kinds has tiles of its own.
struct Tiles {
  std::int64_t images, height, width, dilation;

  std::int64_t kinds_down() const { return std::min(dilation, height); }
  std::int64_t kinds_across() const { return std::min(dilation, width); }
  std::int64_t down() const { return of_side(height); }
  std::int64_t across() const { return of_side(width); }
  /// All of them.
  std::int64_t count() const { return images * kinds_down() * kinds_across() * down() * across(); }

  /// Where tile `number` lies.
  struct Place {
    std::int64_t image, row, column;  // of its first result
  };
  // Tiles that are neighbors in memory follow each other: kinds of columns first.
  Place place(std::int64_t number) const {
    const std::int64_t kind_x = number % kinds_across();
    number /= kinds_across();
    const std::int64_t x = number % across();
    number /= across();
    const std::int64_t kind_y = number % kinds_down();
    number /= kinds_down();
    return {number / down(), kind_y + dilation * kTile * (number % down()), kind_x + dilation * kTile * x};
  }
  /// The pixel `down` and `across` results further.
  std::int64_t offset(const Place& place, std::int64_t down, std::int64_t across) const {
    return (place.image * height + place.row + dilation * down) * width + place.column + dilation * across;
  }
  /// Whether all from (top, left) to (bottom, right) results further lie in the image.
  bool inside(const Place& place, std::int64_t top, std::int64_t left, std::int64_t bottom, std::int64_t right) const {
    return place.row + dilation * top >= 0 && place.row + dilation * bottom < height &&
           place.column + dilation * left >= 0 && place.column + dilation * right < width;
  }

 private:
  std::int64_t of_side(std::int64_t size) const {
    const std::int64_t of_kind = (size + dilation - 1) / dilation;
    return (of_kind + kTile - 1) / kTile;
  }
};

/// A patch of `Side` x `Side` pixels, from (Begin, Begin) relative to the tile, through `Transform` to planes; what
/// lies outside the image is 0. `to`: [kPlanes][row_size], of which the first C are written.
template <typename Width, typename Transform, int Side, int Begin>
NBS_INLINE void to_planes(const Tiles& tiles, const Tiles::Place& place, const float* images, std::int64_t C, float* to,
                          std::int64_t row_size) {
  if (tiles.inside(place, Begin, Begin, Begin + Side - 1, Begin + Side - 1)) {
    const std::int64_t across = tiles.dilation * C;
    const std::int64_t down = tiles.width * across;
    const float* const first = images + tiles.offset(place, Begin, Begin) * C;
    for_each_channel<Width>(
        C, [&](auto numbers, std::int64_t c) __attribute__((always_inline)) {
          using T = typename decltype(numbers)::Type;
          transform<Transform, T>(
              [&](int y, int x, T& value)
                  __attribute__((always_inline)) { load(first + y * down + x * across + c, value); },
              [&](int y, int x, const T& value)
                  __attribute__((always_inline)) { store(value, to + (y * kPatch + x) * row_size + c); });
        });
    return;
  }
  bool inside[Side][Side];
  std::int64_t offsets[Side][Side];
  for (int y = 0; y < Side; ++y) {
    for (int x = 0; x < Side; ++x) {
      inside[y][x] = tiles.inside(place, y + Begin, x + Begin, y + Begin, x + Begin);
      offsets[y][x] = tiles.offset(place, y + Begin, x + Begin) * C;
    }
  }
  for_each_channel<Width>(
      C, [&](auto numbers, std::int64_t c) __attribute__((always_inline)) {
        using T = typename decltype(numbers)::Type;
        transform<Transform, T>(
            [&](int y, int x, T& value) __attribute__((always_inline)) {
              value = T{};
              if (inside[y][x]) load(images + offsets[y][x] + c, value);
            },
            [&](int y, int x, const T& value)
                __attribute__((always_inline)) { store(value, to + (y * kPatch + x) * row_size + c); });
      });
}

/// How many tiles are worked on together: few enough that their planes stay in the second-level cache, and enough that
/// the kernel's planes, which are read once for all of them, cost little.
inline std::int64_t tiles_together(std::int64_t channels) {
  constexpr std::int64_t kNumbers = 96 * 1024;
  return std::clamp<std::int64_t>(kNumbers / (kPlanes * channels) / 8 * 8, 16, 64);
}

/// Kernels to planes.
struct KernelPlanes {
  const float* kernels;  // [3][3][inputs][outputs]
  std::int64_t inputs, outputs;
  float* planes;  // [kPlanes][inputs][padded(outputs)]

  /// For inputs first … last - 1.
  template <typename Width>
  NBS_INLINE void run(std::int64_t first, std::int64_t last) const {
    const std::int64_t row = padded(outputs);
    for (std::int64_t i = first; i < last; ++i) {
      for_each_channel<Width>(
          outputs, [&](auto numbers, std::int64_t o) __attribute__((always_inline)) {
            using T = typename decltype(numbers)::Type;
            transform<ToKernel, T>(
                [&](int y, int x, T& value)
                    __attribute__((always_inline)) { load(kernels + ((y * 3 + x) * inputs + i) * outputs + o, value); },
                [&](int y, int x, const T& value) __attribute__((always_inline)) {
                  store(value, planes + ((y * kPatch + x) * inputs + i) * row + o);
                });
          });
      for (std::int64_t o = outputs; o < row; ++o) {
        for (std::int64_t plane = 0; plane < kPlanes; ++plane)
          planes[(plane * inputs + i) * row + o] = 0;
      }
    }
  }
};

/// A convolution of images [images][height][width][inputs], channels last, with zeros around them, in tiles.
struct Convolution {
  Tiles tiles;
  std::int64_t inputs, outputs;
  const float* images;
  const float* planes;  // of KernelPlanes
  float* results;       // [images][height][width][outputs]

  std::int64_t together() const { return tiles_together(inputs + padded(outputs)); }

  /// For tiles first … last - 1.
  template <typename Width>
  NBS_INLINE void run(std::int64_t first, std::int64_t last) const {
    const std::int64_t row = padded(outputs);
    const std::int64_t most = std::min(together(), last - first);
    const std::unique_ptr<float[]> of_inputs(new float[static_cast<std::size_t>(most * kPlanes * inputs)]);
    const std::unique_ptr<float[]> of_outputs(new float[static_cast<std::size_t>(most * kPlanes * row)]);
    for (std::int64_t begin = first; begin < last; begin += most) {
      const std::int64_t count = std::min(most, last - begin);
      for (std::int64_t t = 0; t < count; ++t)
        to_planes<Width, ToInput, 6, -1>(tiles, tiles.place(begin + t), images, inputs,
                                         of_inputs.get() + t * kPlanes * inputs, inputs);
      for (std::int64_t plane = 0; plane < kPlanes; ++plane) {
        Product{of_inputs.get() + plane * inputs,
                kPlanes * inputs,
                1,
                planes + plane * inputs * row,
                row,
                of_outputs.get() + plane * row,
                kPlanes * row,
                count,
                inputs,
                row,
                false}
            .template run<Width>();
      }
      for (std::int64_t t = 0; t < count; ++t)
        finish<Width>(tiles.place(begin + t), of_outputs.get() + t * kPlanes * row, row);
    }
  }

 private:
  template <typename Width>
  NBS_INLINE void finish(const Tiles::Place& place, const float* from, std::int64_t row) const {
    const std::int64_t across = tiles.dilation * outputs;
    const std::int64_t down = tiles.width * across;
    float* const first = results + tiles.offset(place, 0, 0) * outputs;
    const std::int64_t rows = std::min(kTile, (tiles.height - place.row + tiles.dilation - 1) / tiles.dilation);
    const std::int64_t columns = std::min(kTile, (tiles.width - place.column + tiles.dilation - 1) / tiles.dilation);
    for_each_channel<Width>(
        outputs, [&](auto numbers, std::int64_t c) __attribute__((always_inline)) {
          using T = typename decltype(numbers)::Type;
          transform<FromOutput, T>(
              [&](int y, int x, T& value)
                  __attribute__((always_inline)) { load(from + (y * kPatch + x) * row + c, value); },
              [&](int y, int x, const T& value) __attribute__((always_inline)) {
                if (y < rows && x < columns) store(value, first + y * down + x * across + c);
              });
        });
  }
};

/// The gradient of the kernels in planes, summed over tiles.
struct KernelGradient {
  Tiles tiles;
  std::int64_t inputs, outputs;
  const float* images;     // [images][height][width][inputs]
  const float* gradients;  // of the results, [images][height][width][outputs]
  float* planes;           // [kPlanes][inputs][padded(outputs)], to be added to

  std::int64_t together() const { return tiles_together(inputs + padded(outputs)); }

  /// Over tiles first … last - 1.
  template <typename Width>
  NBS_INLINE void run(std::int64_t first, std::int64_t last) const {
    const std::int64_t row = padded(outputs);
    const std::int64_t most = std::min(together(), last - first);
    const std::unique_ptr<float[]> of_inputs(new float[static_cast<std::size_t>(most * kPlanes * inputs)]);
    const std::unique_ptr<float[]> of_outputs(new float[static_cast<std::size_t>(most * kPlanes * row)]());
    for (std::int64_t begin = first; begin < last; begin += most) {
      const std::int64_t count = std::min(most, last - begin);
      for (std::int64_t t = 0; t < count; ++t) {
        const auto place = tiles.place(begin + t);
        to_planes<Width, ToInput, 6, -1>(tiles, place, images, inputs, of_inputs.get() + t * kPlanes * inputs, inputs);
        to_planes<Width, ToOutputGradient, 4, 0>(tiles, place, gradients, outputs, of_outputs.get() + t * kPlanes * row,
                                                 row);
      }
      for (std::int64_t plane = 0; plane < kPlanes; ++plane) {
        Product{of_inputs.get() + plane * inputs,
                1,
                kPlanes * inputs,
                of_outputs.get() + plane * row,
                kPlanes * row,
                planes + plane * inputs * row,
                row,
                inputs,
                count,
                row,
                true}
            .template run<Width>();
      }
    }
  }
};

/// Gradients in planes to those of the kernels.
struct KernelsOfPlanes {
  const float* planes;  // [kPlanes][inputs][padded(outputs)]
  std::int64_t inputs, outputs;
  float* kernels;  // [3][3][inputs][outputs]

  /// For inputs first … last - 1.
  template <typename Width>
  NBS_INLINE void run(std::int64_t first, std::int64_t last) const {
    const std::int64_t row = padded(outputs);
    for (std::int64_t i = first; i < last; ++i) {
      for_each_channel<Width>(
          outputs, [&](auto numbers, std::int64_t o) __attribute__((always_inline)) {
            using T = typename decltype(numbers)::Type;
            transform<FromKernelGradient, T>(
                [&](int y, int x, T& value)
                    __attribute__((always_inline)) { load(planes + ((y * kPatch + x) * inputs + i) * row + o, value); },
                [&](int y, int x, const T& value) __attribute__((always_inline)) {
                  store(value, kernels + ((y * 3 + x) * inputs + i) * outputs + o);
                });
          });
    }
  }
};
#undef NBS_INLINE

}  // namespace nbs::winograd
