// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/tensor.h"

namespace nbs::training {

/// The reference map of a parameter set: for every pixel the median over `maps` (each [S, S], of one image, divided by
/// its own mean; at least one), averaged over a square of `blur` x `blur` pixels (odd; 1: not at all; beyond the border
/// the nearest pixel counts). Of an even number of values the lower of the two middle ones is taken. Objects that are
/// all placed alike have edges that are hard for the autoencoder in every image; an anomaly is not in the median.
torch::Tensor reference_loss(const std::vector<torch::Tensor>& maps, std::int64_t blur);

/// `map` [S, S] divided by the reference map, pixel by pixel. 0.05, a twentieth of the mean, is added to the divisor:
/// where the ground is plain, losses near zero would otherwise be divided by losses near zero.
torch::Tensor relative_loss(const torch::Tensor& map, const torch::Tensor& reference);

}  // namespace nbs::training
