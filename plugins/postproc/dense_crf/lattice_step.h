// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lattice.h"

// The two ways between pixels and vertices, for one block; inlined into loops that are compiled for several instruction
// sets.

namespace nbs::crf {

/// Adds the block's values, spread by barycentric weights, to the vertices.
template <int D>
__attribute__((always_inline)) inline void splat(const LatticeBlock<D>& block, const Floats& pixels, float* vertices) {
  alignas(32) float parts[D + 1][kLanes];
  for (int k = 0; k <= D; ++k)
    *reinterpret_cast<Floats*>(parts[k]) = block.weight[k] * pixels;
#pragma GCC unroll 8
  for (int l = 0; l < kLanes; ++l) {
#pragma GCC unroll 6
    for (int k = 0; k <= D; ++k)
      vertices[block.vertex[k][l]] += parts[k][l];
  }
}

/// The block's values from the vertices.
template <int D>
__attribute__((always_inline)) inline Floats slice(const LatticeBlock<D>& block, const float* vertices) {
  Floats sum = {};
  for (int k = 0; k <= D; ++k) {
    const auto& v = block.vertex[k];
    const Floats corners = {vertices[v[0]], vertices[v[1]], vertices[v[2]], vertices[v[3]],
                            vertices[v[4]], vertices[v[5]], vertices[v[6]], vertices[v[7]]};
    sum += block.weight[k] * corners;
  }
  return sum;
}

}  // namespace nbs::crf
