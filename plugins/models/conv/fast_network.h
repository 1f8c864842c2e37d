// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "nbs/packed_convolution.h"

#include "network.h"

namespace nbs::conv {

inline constexpr float kSlope = 0.2F;  ///< of LeakyReLU

/// A map of a patch in memory, channels last, with a border of one pixel around it.
struct BorderedMap {
  std::int64_t side;
  std::int64_t channels;

  std::int64_t row() const { return (side + 2) * channels; }  ///< numbers from a row to the next
  std::int64_t middle() const { return row() + channels; }    ///< where the first pixel that is no border is
  std::int64_t numbers() const { return (side + 2) * row(); }
};

/// Packs the transposed convolution of kernel 4, stride 2, padding 1 with `weight` [inputs, outputs, 4, 4] into one 2x2
/// convolution for each kind of result pixel: see upsampling_kernel(). Nothing but copies, as it is done whenever the
/// host puts other parameters into a network. `biases`: [outputs].
void pack_upsampling(const torch::Tensor& weight, const float* biases, std::array<PackedConvolution, 4>& kinds);

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

  /// Fills the workspace.
  void reconstruct(const float* patch, Workspace& workspace) const;
  /// Row y of the reconstruction less 0.5, [p][3], behind reconstruct().
  void reconstruction_row(const Workspace& workspace, std::int64_t y, float* row) const;

  /// Of the levels; 0: the patch.
  const std::vector<BorderedMap>& maps() const { return maps_; }

 private:
  void update_level(const NetworkImpl& network, std::size_t i);
  void encode(const float* patch, Workspace& workspace) const;
  void decode(Workspace& workspace) const;
  void add_shortcut(std::size_t level, Workspace& workspace) const;

  std::vector<BorderedMap> maps_;
  std::vector<bool> shortcut_;  // of each level
  std::vector<PackedConvolution> encoder_;
  PackedConvolution squeeze_;
  PackedConvolution spread_;
  // Of each kind of pixel of each level but the outermost, innermost level first: see upsampling_kernel().
  std::vector<std::array<PackedConvolution, 4>> decoder_;
  PackedConvolution outermost_;  // the four kinds of its three colors in one vector
};

}  // namespace nbs::conv
