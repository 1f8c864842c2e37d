// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lanes.h"
#include "parameters.h"
#include "vertex_table.h"

namespace nbs::crf {

/// One block of pixels on the lattice: for each the D + 1 corners of its simplex and their barycentric weights. Where
/// there is no pixel weights are 0 and corners the empty vertex.
template <int D>
struct LatticeBlock {
  alignas(32) std::int32_t vertex[D + 1][kLanes];
  Floats weight[D + 1];
};

/// Gaussian filtering of D-dimensional features on the permutohedral lattice (Adams, Baek and Davis 2010), of one
/// channel. D = 2: position; D = 5: position and color. Objects are reused from image to image, so that buffers are
/// allocated once.
template <int D>
class Lattice {
 public:
  using Block = LatticeBlock<D>;
  /// The blur's own gain is removed by this factor.
  static constexpr float kGain = 1.0F / (1.0F + 1.0F / static_cast<float>(1 << D));

  /// Places the pixels of `image` on the lattice; sigmas [D]: x, y, and for D = 5 the three colors (D = 2 reads no
  /// planes). Throws nbs::Error when a sigma is so small that vertices cannot be numbered.
  void build(const Image& image, const std::array<double, D>& sigmas);

  const Segments& segments() const { return segments_; }
  std::int64_t vertices() const { return table_.size(); }
  const std::vector<Block>& blocks() const { return blocks_; }

  /// `values` [vertices() + 1], the first of which belongs to the empty vertex and stays 0: blurs along the D + 1
  /// directions. `scratch` has the same size. The result is in the array that is returned, one of the two.
  float* blur(float* values, float* scratch) const;

  /// out_i = sum_j k(i, j) in_j, approximately; both in the image's order.
  void filter(const float* in, float* out) const;

 private:
  void number_keys(const Image& image, const std::array<double, D>& sigmas);
  void place(const Image& image);
  std::int32_t step(std::int32_t vertex, int direction);
  std::int64_t key_of_step(std::int64_t key, int direction) const;
  void connect();

  static constexpr int kStride = D == 2 ? 4 : 8;  // of steps_, a power of two above D

  Segments segments_;
  std::array<float, D> sigma_{};
  std::array<float, D> scale_{};          // from sigmas to the lattice's axes
  std::array<std::int64_t, D> offset_{};  // a key's coordinates start from 0
  std::array<int, D + 1> shift_{};        // where a coordinate lies in the key; the last has no place
  VertexTable table_;
  std::vector<Block> blocks_;
  std::vector<std::int32_t> steps_;            // [vertices + 1][kStride]: neighbors while building, 0 = not known
  std::vector<std::int32_t> next_, previous_;  // [D + 1][vertices + 1]: neighbors of the blur, 0 = none
};

extern template class Lattice<2>;
extern template class Lattice<5>;

}  // namespace nbs::crf
