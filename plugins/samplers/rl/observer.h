// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "nbs/sampler.h"

#include "options.h"

namespace nbs::rl {

/// Keeps the sampling history of one episode and makes the policy's states from it.
class Observer {
 public:
  Observer(const Options& options, Scene& scene) : options_(options), scene_(scene) {}

  /// Writes the state of the patch, window x window x 5 floats, channels last: color - 0.5, loss, history; zeros
  /// outside the image. `row`: numbers from a row of it to the next.
  void observe(const Patch& patch, float* state, std::int64_t row);

  /// Marks a patch as sampled in this episode.
  void mark(const Patch& patch);

 private:
  void observe_window(const Patch& patch, float* state, std::int64_t row);
  void observe_image(const Patch& patch, float* state, std::int64_t row);
  std::vector<float>& history(std::int64_t image);

  const Options& options_;
  Scene& scene_;
  std::map<std::int64_t, std::vector<float>> history_;   // [S, S] of 0 and 1, by image
  std::map<std::int64_t, torch::Tensor> reduced_color_;  // [3, W, W], by image, for view "image"
};

}  // namespace nbs::rl
