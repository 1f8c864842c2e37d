// SPDX-License-Identifier: Apache-2.0
#include "nbs/draw.h"
#include "nbs/plugin.h"

namespace {

/// Draws patches in proportion to how rough the surface is there: a sampler outside the tree, in one file.
class EdgeSampler : public nbs::Sampler {
 public:
  struct Options {
    std::int64_t candidates = 8;
    bool smooth_first = false;

    static void declare(nbs::Schema<Options>& s) {
      s.add("candidates", &Options::candidates).range(1, 1000).doc("Patches drawn for each one that is taken.");
      s.add("smooth_first", &Options::smooth_first).doc("Take the smoothest candidate, not the roughest.");
    }
  };

  EdgeSampler(const Options& options, nbs::Context& context) : options_(options), draw_(context.generator()) {}

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    nbs::Rollout rollout;
    while (static_cast<std::int64_t>(rollout.patches.size()) < count) {
      nbs::Patch best;
      double best_score = -1e30;
      for (std::int64_t i = 0; i < options_.candidates; ++i) {
        const nbs::Patch patch{draw_.below(scene.image_count()), draw_.below(places), draw_.below(places)};
        const double score = options_.smooth_first ? -roughness(scene, patch) : roughness(scene, patch);
        if (score <= best_score) continue;
        best = patch;
        best_score = score;
      }
      rollout.patches.push_back(best);
    }
    return rollout;
  }

 private:
  /// Mean absolute difference of horizontal neighbors, in units of the full range.
  static double roughness(const nbs::Scene& scene, const nbs::Patch& patch) {
    const std::int64_t p = scene.patch_size();
    const auto pixels = scene.image(patch.image).slice(1, patch.y, patch.y + p).slice(2, patch.x, patch.x + p);
    return (pixels.slice(2, 1) - pixels.slice(2, 0, p - 1)).abs().mean().item<double>();
  }

  Options options_;
  nbs::Draw draw_;
};

}  // namespace

NBS_PLUGIN("edges", "1.0.0") {
  registrar.add<EdgeSampler>("edges", "Patches where the surface is roughest");
}
