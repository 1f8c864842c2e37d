// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "lattice.h"
#include "parameters.h"

namespace nbs::crf {

/// A kernel on its lattice, with the factors that normalize it.
template <int D>
struct Kernel {
  Lattice<D> lattice;
  std::vector<float> factors;  // in the order of blocks
  bool before = false;         // what goes in is multiplied by the factors
  bool after = false;          // what comes out is

  /// Computes the factors from the lattice's response to ones; `values`, `scratch` are resized as needed.
  void normalize(Normalization normalization, std::vector<float>& values, std::vector<float>& scratch);
};

/// The smoothness kernel depends on the image's size alone: made once, shared by all images and threads.
class SmoothnessKernel {
 public:
  /// Throws nbs::Error when the sigmas are too small for the lattice.
  SmoothnessKernel(const Parameters& parameters, std::int64_t height, std::int64_t width);

  std::int64_t height() const { return height_; }
  std::int64_t width() const { return width_; }
  const Kernel<2>& kernel() const { return kernel_; }

 private:
  std::int64_t height_;
  std::int64_t width_;
  Kernel<2> kernel_;
};

/// What one thread keeps from image to image, so that memory is allocated once.
struct Workspace {
  Kernel<5> appearance;
  std::vector<float> smoothness_values, smoothness_scratch;  // of the two lattices' vertices
  std::vector<float> appearance_values, appearance_scratch;
  std::vector<float> log_odds, result;  // of the update, in the order of blocks
};

/// Mean field inference of two labels. With s = 2 Q(1) - 1 and z = log(Q(1) / Q(0)) the update of one channel
///   z <- z0 + sum_m w_m K^_m s,   s <- tanh(z / 2)
/// is exactly the paper's (Algorithm 1 with Potts compatibility); all pixels at once.
/// `log_odds` [pixels]: z0 = U(0) - U(1). `result` [pixels]: z after the last iteration. `again`: the last call with
/// this workspace had the same parameters and image, so its appearance kernel is used again. Throws nbs::Error when the
/// sigmas are too small, or `smoothness` was made for another size.
void mean_field(const Parameters& parameters, const SmoothnessKernel& smoothness, const Image& image,
                const float* log_odds, float* result, Workspace& workspace, bool again = false);

/// z = log(p / (1 - p)), with p first brought into [clamp, 1 - clamp].
void log_odds_of(const float* probabilities, std::int64_t count, float clamp, float* log_odds);

/// p = 1 / (1 + exp(-z)).
void probabilities_of(const float* log_odds, std::int64_t count, float* probabilities);

}  // namespace nbs::crf
