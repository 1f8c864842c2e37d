// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "nbs/packed_convolution.h"

#include "network.h"

namespace nbs::conv {

/// The network's reconstruction error of one patch at a time, on one core and without tensors. While the sampler walks,
/// a few tiles are asked for again and again, each too small for a general library.
class FastNetwork {
 public:
  explicit FastNetwork(const NetworkImpl& network);

  /// Copies the parameters of `network`, which must have the same shape as at construction.
  void update(const NetworkImpl& network);

  /// What a pass writes to, so that several may run at the same time.
  struct Workspace {
    std::vector<std::vector<float>> encoded;  // the output of level l (0: the patch), channels last, border of zeros
    std::vector<std::vector<float>> decoded;  // the decoder's input of level l, likewise
    std::vector<float> inner;                 // the innermost map without a border
    std::vector<float> code;                  // B numbers
    std::vector<float> kinds;                 // the four kinds of the reconstruction's pixels
  };
  Workspace make_workspace() const;

  /// The squared error of each pixel, averaged over the colors, [p, p], of a patch [3, p, p] in [0, 1].
  void pixel_loss(const float* patch, Workspace& workspace, float* loss) const;

 private:
  struct Map {
    std::int64_t side;
    std::int64_t channels;
    std::int64_t row() const { return (side + 2) * channels; }  // of a map with its border
    std::int64_t middle() const { return row() + channels; }    // where its first pixel is
  };
  void encode(const float* patch, Workspace& workspace) const;
  void decode(Workspace& workspace) const;
  void add_shortcut(std::size_t level, Workspace& workspace) const;

  std::vector<Map> maps_;       // of the levels; 0: the patch
  std::vector<bool> shortcut_;  // of each level
  std::vector<PackedConvolution> encoder_;
  PackedConvolution squeeze_;
  PackedConvolution spread_;
  // Of each kind of pixel of each level but the outermost, innermost level first: see upsampling_kernel().
  std::vector<std::array<PackedConvolution, 4>> decoder_;
  PackedConvolution outermost_;  // the four kinds of its three colors in one vector
};

}  // namespace nbs::conv
