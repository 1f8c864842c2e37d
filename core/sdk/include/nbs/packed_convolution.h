// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "nbs/vectors.h"

namespace nbs {

/// A convolution of one small image on one core, without tensors: for networks that are asked hundreds of times, one
/// after the other, where a general library's dispatch and threads cost more than the arithmetic. Output channels lie
/// along the vector lanes; inputs are channels last with their border around them. Each sum is taken in the order bias,
/// kernel row, kernel column, input channel, whatever the processor and whatever else is computed with it, so a result
/// depends on its own inputs alone. A dense layer is a convolution whose kernel covers its whole input.
class PackedConvolution {
 public:
  /// Output channels that are computed together.
  static constexpr std::int64_t kLanes = 16;

  /// Sizes of the layer.
  struct Shape {
    std::int64_t inputs = 0;   ///< channels
    std::int64_t outputs = 0;  ///< channels
    std::int64_t kernel = 0;   ///< rows and columns
    std::int64_t stride = 1;   ///< of the kernel, in rows and columns of the input
    std::int64_t side = 0;     ///< rows and columns of the output
  };

  /// Of nothing: to be assigned to.
  PackedConvolution() = default;
  /// With weights and biases of 0 until pack().
  explicit PackedConvolution(const Shape& shape)
      : shape_(shape),
        blocks_((shape.outputs + kLanes - 1) / kLanes),
        weights_(static_cast<std::size_t>(blocks_ * rows() * kLanes)),
        biases_(static_cast<std::size_t>(blocks_ * kLanes)) {}

  /// What it was made with.
  const Shape& shape() const { return shape_; }
  /// Rows and columns of the input that it reads, border included.
  std::int64_t input_side() const { return (shape_.side - 1) * shape_.stride + shape_.kernel; }

  /// `weights`: [outputs][kernel][kernel][inputs]; `biases`: [outputs].
  void pack(const float* weights, const float* biases) {
    // In squares of 16 x 16, so that each line of memory is read and written once: outputs lie powers of two apart, so
    // few of their lines fit into the first cache at the same time.
    for (std::int64_t block = 0; block < blocks_; ++block) {
      const std::int64_t first = block * kLanes;
      const std::int64_t lanes = std::min(kLanes, shape_.outputs - first);
      std::copy_n(biases + first, lanes, biases_.data() + first);
      float* const to = weights_.data() + first * rows();
      for (std::int64_t i = 0; i < rows(); i += kLanes) {
        const std::int64_t count = std::min(kLanes, rows() - i);
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
          const float* const from = weights + (first + lane) * rows() + i;
          for (std::int64_t k = 0; k < count; ++k)
            to[(i + k) * kLanes + lane] = from[k];
        }
      }
    }
  }

  /// The same where the weights of all outputs lie side by side: row(i) points to the `outputs` of them that input
  /// number i, of [kernel][kernel][inputs], is multiplied by.
  template <typename Row>
  void pack_rows(const Row& row, const float* biases) {
    std::copy_n(biases, shape_.outputs, biases_.data());
    for (std::int64_t i = 0; i < rows(); ++i) {
      const float* const from = row(i);
      for (std::int64_t block = 0; block < blocks_; ++block) {
        const std::int64_t first = block * kLanes;
        std::copy_n(from + first, std::min(kLanes, shape_.outputs - first),
                    weights_.data() + (block * rows() + i) * kLanes);
      }
    }
  }

  /// Reads `in`, [≥ input_side()][in_side][inputs], and writes pixel (y, x) to out + y * out_row + x * out_pixel,
  /// `outputs` numbers. `slope`: what negative results are multiplied by, 0 (ReLU) to 1 (none).
  void run(const float* in, std::int64_t in_side, float slope, float* out, std::int64_t out_row,
           std::int64_t out_pixel) const {
    const Call call = {this, in, in_side * shape_.inputs, slope, out, out_row, out_pixel};
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
    // Wider vectors come with more registers, so with more sums at once.
    if (vector_level() == 4) return run_v4(call);
    if (vector_level() == 3) return run_v3(call);
#endif
    run_all<vectors::Four, 2, 1>(call);
  }

 private:
  struct Call {
    const PackedConvolution* self;
    const float* in;
    std::int64_t in_row;  // numbers from a row to the next
    float slope;
    float* out;
    std::int64_t out_row;
    std::int64_t out_pixel;
  };

  std::int64_t rows() const {
    return shape_.kernel * shape_.kernel * shape_.inputs;
  }

#define NBS_INLINE inline __attribute__((always_inline))
  // A pixel of the output. Counted on, as a division for each would take a quarter of the time of a layer with few
  // inputs.
  struct Place {
    std::int64_t y = 0;
    std::int64_t x = 0;

    NBS_INLINE void next(std::int64_t side) {
      if (++x < side) return;
      x = 0;
      ++y;
    }
  };

  // `Pixels` output pixels from `place` on, which then is the one behind them, and `Blocks` x 16 channels at once, in
  // vectors of this kind: as many sums as there are vector registers for, so that a sum need not wait for the one
  // before, and each weight that is loaded serves several pixels.
  template <typename Vector, int Pixels, int Blocks>
  static NBS_INLINE void run_tile(const Call& call, Place& place, std::int64_t block) {
    constexpr std::int64_t kNumbers = sizeof(Vector) / sizeof(float);
    constexpr int kVectors = Blocks * static_cast<int>(kLanes / kNumbers);
    const auto& self = *call.self;
    const auto& shape = self.shape_;
    const float* from[Pixels];
    float* to[Pixels];
    for (int p = 0; p < Pixels; ++p, place.next(shape.side)) {
      from[p] = call.in + shape.stride * (place.y * call.in_row + place.x * shape.inputs);
      to[p] = call.out + place.y * call.out_row + place.x * call.out_pixel + block * kLanes;
    }
    const std::int64_t block_size = self.rows() * kLanes;
    const float* weight = self.weights_.data() + block * block_size;
    // Where vector v lies in packed weights, from the first block on.
    const auto offset_of = [block_size](int v) __attribute__((always_inline)) {
      return v * kNumbers / kLanes * block_size + v * kNumbers % kLanes;
    };
    Vector sum[Pixels][kVectors];
    for (int v = 0; v < kVectors; ++v) {
      Vector bias;
      std::memcpy(&bias, self.biases_.data() + block * kLanes + v * kNumbers, sizeof bias);
      for (int p = 0; p < Pixels; ++p)
        sum[p][v] = bias;
    }
    // The taps of a row of the kernel are neighbors in memory: one run of kernel x inputs numbers.
    const std::int64_t run = shape.kernel * shape.inputs;
    for (std::int64_t row = 0; row < shape.kernel; ++row) {
      const std::int64_t offset = row * call.in_row;
      for (std::int64_t k = offset; k < offset + run; ++k, weight += kLanes) {
        for (int v = 0; v < kVectors; ++v) {
          Vector w;
          std::memcpy(&w, weight + offset_of(v), sizeof w);
          for (int p = 0; p < Pixels; ++p)
            sum[p][v] += from[p][k] * w;
        }
      }
    }
    for (int p = 0; p < Pixels; ++p) {
      for (int v = 0; v < kVectors; ++v) {
        const Vector value = sum[p][v];
        const Vector result = value > 0.0F ? value : value * call.slope;
        const std::int64_t kept = std::min(kNumbers, shape.outputs - block * kLanes - v * kNumbers);
        if (kept == kNumbers) {  // one instruction where the size is known
          std::memcpy(to[p] + v * kNumbers, &result, sizeof result);
        } else if (kept > 0) {
          std::memcpy(to[p] + v * kNumbers, &result, static_cast<std::size_t>(kept) * sizeof(float));
        }
      }
    }
  }

  template <typename Vector, int MostPixels, int Blocks>
  static NBS_INLINE void run_blocks(const Call& call, std::int64_t block) {
    const std::int64_t pixels = call.self->shape_.side * call.self->shape_.side;
    std::int64_t pixel = 0;
    Place place;
    for (; pixel + MostPixels <= pixels; pixel += MostPixels)
      run_tile<Vector, MostPixels, Blocks>(call, place, block);
    if constexpr (MostPixels > 4) {
      for (; pixel + 4 <= pixels; pixel += 4)
        run_tile<Vector, 4, Blocks>(call, place, block);
    }
    for (; pixel + 2 <= pixels; pixel += 2)
      run_tile<Vector, 2, Blocks>(call, place, block);
    for (; pixel < pixels; ++pixel)
      run_tile<Vector, 1, Blocks>(call, place, block);
  }

  template <typename Vector, int MostPixels, int MostBlocks>
  static NBS_INLINE void run_all(const Call& call) {
    std::int64_t block = 0;
    for (; block + MostBlocks <= call.self->blocks_; block += MostBlocks)
      run_blocks<Vector, MostPixels, MostBlocks>(call, block);
    for (; block < call.self->blocks_; ++block)
      run_blocks<Vector, MostPixels, 1>(call, block);
  }
#undef NBS_INLINE

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  __attribute__((target("arch=x86-64-v4"))) static void run_v4(const Call& call) {
    run_all<vectors::Sixteen, 8, 2>(call);
  }
  __attribute__((target("arch=x86-64-v3"))) static void run_v3(const Call& call) {
    run_all<vectors::Eight, 4, 1>(call);
  }
#endif

  Shape shape_;
  std::int64_t blocks_ = 0;
  std::vector<float> weights_;  // [outputs / 16][kernel][kernel][inputs][16], zero beyond the last channel
  std::vector<float> biases_;   // outputs rounded up to 16
};

}  // namespace nbs
