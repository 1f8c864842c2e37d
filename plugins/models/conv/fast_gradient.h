// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "nbs/packed_convolution.h"

#include "fast_network.h"
#include "network.h"

namespace nbs::conv {

/// The gradient of the network's mean squared error, for a network without shortcuts on the CPU: each patch by one core
/// from beginning to end, while all that belongs to it lies in that core's cache. LibTorch takes twice as long, as it
/// hands small maps from one operation to the next.
///
/// The convolutions of the encoder lead from a map to the next smaller one, those of the decoder back, and both have
/// weights [channels of the smaller][4][4][channels of the larger]. So the gradient of one kind's input is computed
/// like the other kind's output, and the gradient of the weights is a product of two matrices: the smaller map, and
/// what the kernel saw of the larger one at each of its pixels.
class FastGradient {
 public:
  /// Of `network`; `forward` is what computes it. Both must outlive the object.
  FastGradient(const NetworkImpl& network, const FastNetwork& forward);

  /// Whether it can do that for this network, and where it lies now.
  bool fits() const;

  /// The mean squared error of patches [B, 3, p, p] in [0, 1], whose gradients are left in the parameters' grad().
  /// `forward` must have the network's parameters. The same bits with the same number of threads.
  double run(const torch::Tensor& patches);

 private:
  // What a core works on, and what it adds up over its patches.
  struct Share {
    FastNetwork::Workspace forward;
    std::vector<std::vector<float>> gradient;  // of the map of each level, with a border of zeros
    std::vector<float> small;                  // a map without its border
    std::vector<float> row;                    // sums of one
    std::vector<float> seen;                   // what the kernel saw of a larger one
    // Of the dense layers for each patch: inputs and gradients of outputs.
    std::vector<float> encoded, code_gradient, code, decoded_gradient;
    std::vector<std::vector<float>> sums;  // of the gradients of parameters_
    double squares = 0;                    // of errors
  };
  // Where the parameters of a convolution are in parameters_: weights, then biases.
  static std::size_t encoder_at(std::size_t level) { return 4 * level; }
  static std::size_t decoder_at(std::size_t level) { return 4 * level + 2; }
  std::size_t squeeze_at() const { return 4 * levels_; }
  std::size_t spread_at() const { return 4 * levels_ + 2; }

  void update();
  Share make_share() const;
  void add(const float* patches, std::int64_t count, float scale, Share& share) const;
  void through_decoder(const float* patch, float scale, Share& share) const;
  void through_code(std::int64_t patch, Share& share) const;
  void through_encoder(Share& share) const;
  void add_dense(std::int64_t count, Share& share) const;
  void add_convolution(const float* smaller, const float* larger, std::size_t level, std::vector<float>& sum,
                       Share& share) const;

  const NetworkImpl& network_;
  const FastNetwork& forward_;
  std::size_t levels_;                     // convolutions of the encoder
  std::vector<torch::Tensor> parameters_;  // of the convolutions by the level of the larger map, then the dense ones
  std::vector<PackedConvolution> down_;    // gradients through the decoder, from map l to map l + 1, by l
  std::vector<std::array<PackedConvolution, 4>> up_;  // through the encoder, from map l + 1 to map l, by l
  PackedConvolution to_code_;
  PackedConvolution from_code_;
  std::vector<Share> shares_;
};

}  // namespace nbs::conv
