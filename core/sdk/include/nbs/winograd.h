// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "nbs/matrix_product.h"
#include "nbs/vectors.h"
#include "nbs/winograd_transforms.h"

namespace nbs::winograd {

// The passes of a convolution over images that are cut into tiles (nbs/winograd_transforms.h says why), for
// vectors::run_in_widest().

using vectors::for_each_channel;
using vectors::load;
using vectors::store;

#define NBS_INLINE inline __attribute__((always_inline))

/// Channels that the planes have room for: a whole number of the smallest vectors.
inline std::int64_t padded(std::int64_t channels) {
  return (channels + 7) / 8 * 8;
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
        MatrixProduct{of_inputs.get() + plane * inputs,
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
        MatrixProduct{of_inputs.get() + plane * inputs,
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
