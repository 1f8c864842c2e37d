// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lattice.h"

// The two ways between pixels and vertices, for 16 pixels; inlined into loops that are compiled for several instruction
// sets.

namespace nbs::crf {

/// Adds the 16 pixels' values, spread by barycentric weights, to the vertices.
template <int D>
__attribute__((always_inline)) inline void splat(const LatticeBlock<D>& block, const float* pixels, float* vertices) {
  alignas(64) float parts[D + 1][kLanes];
  for (int k = 0; k <= D; ++k) {
    for (int l = 0; l < kLanes; ++l)
      parts[k][l] = block.weight[k][l] * pixels[l];
  }
  for (int l = 0; l < kLanes; ++l) {
    for (int k = 0; k <= D; ++k)
      vertices[block.vertex[k][l]] += parts[k][l];
  }
}

/// The 16 pixels' values from the vertices.
template <int D>
__attribute__((always_inline)) inline void slice(const LatticeBlock<D>& block, const float* vertices, float* pixels) {
  float sum[kLanes] = {};
  for (int k = 0; k <= D; ++k) {
    for (int l = 0; l < kLanes; ++l)
      sum[l] += block.weight[k][l] * vertices[block.vertex[k][l]];
  }
  for (int l = 0; l < kLanes; ++l)
    pixels[l] = sum[l];
}

}  // namespace nbs::crf
