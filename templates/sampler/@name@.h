#pragma once

#include <cstdint>

#include "nbs/draw.h"
#include "nbs/patch_mean.h"
#include "nbs/plugin.h"

namespace @name@_plugin {

/// Of a few random patches, takes the one with the highest loss. Change it into yours.
class @type@ : public nbs::Sampler {
 public:
  struct Options {
    std::int64_t candidates = 4;

    static void declare(nbs::Schema<Options>& s) {
      s.add("candidates", &Options::candidates).range(1, 1000).doc("Patches drawn for each one that is taken.");
    }
  };

  @type@(const Options& options, nbs::Context& context) : options_(options), draw_(context.generator()) {}

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    nbs::Rollout rollout;
    while (static_cast<std::int64_t>(rollout.patches.size()) < count) {
      nbs::Patch best;
      double highest = -1;
      for (std::int64_t i = 0; i < options_.candidates; ++i) {
        nbs::Patch patch;
        patch.image = draw_.below(scene.image_count());
        patch.y = draw_.below(places);
        patch.x = draw_.below(places);
        // The current loss of the patch: where the autoencoder is worst.
        const double loss = nbs::patch_loss(scene, patch);
        if (loss <= highest) continue;
        highest = loss;
        best = patch;
      }
      rollout.patches.push_back(best);
    }
    return rollout;
  }

 private:
  Options options_;
  nbs::Draw draw_;
};

}  // namespace @name@_plugin
