// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "nbs/draw.h"
#include "nbs/patch_mean.h"
#include "nbs/plugin.h"

namespace {

/// Draws patches in proportion to a power of their loss, as prioritized experience replay draws transitions (Schaul et
/// al. 2016). It remembers the losses of a grid of cells in every image, which is cheaper than to look everywhere.
class PrioritizedSampler : public nbs::Sampler {
 public:
  struct Options {
    double alpha = 1;
    double decay = 0.5;
    std::int64_t grid = 4;

    static void declare(nbs::Schema<Options>& s) {
      s.add("alpha", &Options::alpha)
          .range(-8, 8)
          .doc("A cell is drawn in proportion to this power of its loss: 0, all alike; above 0, high losses first.");
      s.add("decay", &Options::decay).range(0, 0.999).doc("Share of the past in the moving average of a cell's loss.");
      s.add("grid", &Options::grid).range(1, 64).doc("Cells along each side of an image.");
    }
  };

  PrioritizedSampler(const Options& options, nbs::Context& context) : options_(options), draw_(context.generator()) {}

  /// The losses belong to an autoencoder that is no more.
  void begin_cycle() override { losses_.reset(); }

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    const std::int64_t side = std::min(options_.grid, places);
    const std::int64_t cells = side * side;
    if (!losses_.defined() || losses_.numel() != scene.image_count() * cells)
      losses_ = torch::zeros({scene.image_count() * cells}, torch::kFloat64);
    nbs::Rollout rollout;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t cell = draw_cell();
      const std::int64_t row = cell % cells / side;
      const nbs::Patch patch{cell / cells, within(row, side, places), within(cell % side, side, places)};
      rollout.patches.push_back(patch);
      double& loss = losses_.data_ptr<double>()[cell];
      const double now = nbs::patch_loss(scene, patch);
      loss = loss == 0 ? now : options_.decay * loss + (1 - options_.decay) * now;
    }
    return rollout;
  }

  void save(nbs::State& state) const override {
    if (losses_.defined()) state.write("losses", losses_);
  }
  void load(const nbs::State& state) override {
    losses_ = state.has("losses") ? state.read_any_shape("losses", torch::kFloat64).clone() : torch::Tensor();
    if (losses_.defined() && (losses_.dim() != 1 || (losses_ < 0).any().item<bool>()))
      throw nbs::Error("the losses of " + state.origin() + " are no list of numbers of at least 0");
  }

 private:
  // In proportion to the priorities. A cell that was never visited counts as the most urgent one.
  std::int64_t draw_cell() {
    const double* const losses = losses_.data_ptr<double>();
    const std::int64_t count = losses_.numel();
    std::vector<double> sums;
    double most = 0;
    for (std::int64_t i = 0; i < count; ++i) {
      if (losses[i] > 0) most = std::max(most, std::pow(losses[i], options_.alpha));
    }
    double sum = 0;
    for (std::int64_t i = 0; i < count; ++i)
      sums.push_back(sum += losses[i] > 0 ? std::pow(losses[i], options_.alpha) : std::max(most, 1e-300));
    const auto at = std::upper_bound(sums.begin(), sums.end(), draw_.uniform() * sum);
    return std::min<std::int64_t>(at - sums.begin(), count - 1);
  }

  // A place anywhere in one of the `side` parts of 0 … places - 1.
  std::int64_t within(std::int64_t part, std::int64_t side, std::int64_t places) {
    const std::int64_t first = places * part / side;
    return first + draw_.below(places * (part + 1) / side - first);
  }

  Options options_;
  nbs::Draw draw_;
  torch::Tensor losses_;  // [images x cells], 0: not visited in this cycle
};

}  // namespace

NBS_PLUGIN("prioritized", "1.0.0") {
  registrar.add<PrioritizedSampler>("prioritized", "Patches in proportion to a power of their loss");
}
