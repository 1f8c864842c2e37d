// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nbs/error.h"
#include "nbs/sampler.h"

namespace nbs {

/// The mean of a map [H, W], or of all channels of an image [C, H, W], over the p x p patch whose top left pixel is
/// (patch.y, patch.x). Float32, on the CPU, any strides. Far quicker than slices of the tensor, which samplers would
/// make by the thousand. Throws nbs::Error for another tensor and for a patch that leaves it.
inline double patch_mean(const torch::Tensor& values, const Patch& patch, std::int64_t p) {
  if (!values.defined() || values.dim() < 2 || values.dim() > 3 || values.scalar_type() != torch::kFloat32)
    throw Error("patch_mean() takes a float32 map [H, W] or image [C, H, W]");
  const auto whole = values.dim() == 2 ? values.unsqueeze(0) : values;
  if (p < 1 || patch.y < 0 || patch.x < 0 || patch.y + p > whole.size(1) || patch.x + p > whole.size(2)) {
    throw Error("the patch of " + std::to_string(p) + " x " + std::to_string(p) + " pixels at (y " +
                std::to_string(patch.y) + ", x " + std::to_string(patch.x) + ") leaves its map of " +
                std::to_string(whole.size(1)) + " x " + std::to_string(whole.size(2)));
  }
  const auto* const data = whole.data_ptr<float>();
  double sum = 0;
  for (std::int64_t c = 0; c < whole.size(0); ++c) {
    for (std::int64_t y = patch.y; y < patch.y + p; ++y) {
      const auto* const row = data + c * whole.stride(0) + y * whole.stride(1) + patch.x * whole.stride(2);
      for (std::int64_t x = 0; x < p; ++x)
        sum += static_cast<double>(row[x * whole.stride(2)]);
    }
  }
  return sum / static_cast<double>(whole.size(0) * p * p);
}

/// The mean of the current losses in a patch of the scene. What lies outside of it is not evaluated.
inline double patch_loss(Scene& scene, const Patch& patch) {
  const auto p = scene.patch_size();
  return patch_mean(scene.loss(patch.image, patch.y, patch.x, p, p), patch, p);
}

}  // namespace nbs
