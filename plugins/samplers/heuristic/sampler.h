// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/context.h"
#include "nbs/error.h"
#include "nbs/options.h"
#include "nbs/sampler.h"

namespace nbs::heuristic_sampler {

/// The paper's heuristic (3.2): patches of labeled images that show no anomalous pixel, uniformly over all such
/// patches.
class HeuristicSampler : public Sampler {
 public:
  struct Options {
    static void declare(Schema<Options>&) {}
  };

  HeuristicSampler(const Options&, Context& context) : context_(context) {}

  Rollout sample(Scene& scene, std::int64_t count) override {
    if (clean_.empty()) find_clean_patches(scene);
    const auto drawn =
        torch::randint(static_cast<std::int64_t>(clean_.size()), {count}, context_.generator(), torch::kInt64);
    const auto* const indices = drawn.data_ptr<std::int64_t>();
    Rollout rollout;
    rollout.patches.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i)
      rollout.patches.push_back(clean_[indices[i]]);
    return rollout;
  }

 private:
  // All places of labeled images whose patch is free of anomalies, by a summed area table. The masks of a run do not
  // change, so this is done once.
  void find_clean_patches(Scene& scene) {
    const std::int64_t size = scene.image_size();
    const std::int64_t p = scene.patch_size();
    for (std::int64_t image = 0; image < scene.image_count(); ++image) {
      if (!scene.labeled(image)) continue;
      const auto mask = scene.mask(image).to(torch::kInt64);
      auto table = torch::zeros({size + 1, size + 1}, torch::kInt64);
      table.slice(0, 1).slice(1, 1).copy_(mask.cumsum(0).cumsum(1));
      const auto sums = table.accessor<std::int64_t, 2>();
      for (std::int64_t y = 0; y + p <= size; ++y) {
        for (std::int64_t x = 0; x + p <= size; ++x) {
          if (sums[y + p][x + p] - sums[y][x + p] - sums[y + p][x] + sums[y][x] == 0) clean_.push_back({image, y, x});
        }
      }
    }
    if (clean_.empty()) {
      throw Error(
          "no patch of the labeled images is free of anomalous pixels; label an image with normal regions, lower "
          "profile.patch_size, or use another sampler");
    }
  }

  Context& context_;
  std::vector<Patch> clean_;
};

}  // namespace nbs::heuristic_sampler
