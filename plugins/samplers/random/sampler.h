// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/context.h"
#include "nbs/options.h"
#include "nbs/sampler.h"

namespace nbs::random_sampler {

/// Uniformly random patches of uniformly random images: the usual way to train a network.
class RandomSampler : public Sampler {
 public:
  struct Options {
    static void declare(Schema<Options>&) {}
  };

  RandomSampler(const Options&, Context& context) : context_(context) {}

  Rollout sample(Scene& scene, std::int64_t count) override {
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    const auto images = draw(scene.image_count(), count);
    const auto ys = draw(places, count);
    const auto xs = draw(places, count);
    Rollout rollout;
    rollout.patches.reserve(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i)
      rollout.patches.push_back({images[i], ys[i], xs[i]});
    return rollout;
  }

 private:
  std::vector<std::int64_t> draw(std::int64_t bound, std::int64_t count) {
    const auto drawn = torch::randint(bound, {count}, context_.generator(), torch::kInt64);
    const auto* values = drawn.data_ptr<std::int64_t>();
    return {values, values + count};
  }

  Context& context_;
};

}  // namespace nbs::random_sampler
