// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "nbs/draw.h"
#include "nbs/plugin.h"

namespace {

/// A gradient bandit (Sutton and Barto 2018, 2.8): each region of the image plane is an arm, and regions whose patches
/// were rewarded more than usual are drawn more often, in all images alike.
class BanditSampler : public nbs::Sampler {
 public:
  struct Options {
    std::int64_t regions = 4;
    double learning_rate = 0.1;
    double baseline_decay = 0.99;

    static void declare(nbs::Schema<Options>& s) {
      s.add("regions", &Options::regions).range(1, 64).doc("Regions along each side of an image; each is an arm.");
      s.add("learning_rate", &Options::learning_rate).range(0, 10).doc("Step size of the preferences.");
      s.add("baseline_decay", &Options::baseline_decay)
          .range(0, 0.9999)
          .doc("Share of the past in the moving average of rewards that a reward is compared with.");
    }
  };

  BanditSampler(const Options& options, nbs::Context& context)
      : options_(options),
        draw_(context.generator()),
        preferences_(torch::zeros({options.regions * options.regions}, torch::kFloat64)) {}

  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    const std::int64_t places = scene.image_size() - scene.patch_size() + 1;
    const auto chances = torch::softmax(preferences_, 0);
    auto memory = std::make_shared<Memory>();
    nbs::Rollout rollout;
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t arm = draw_arm(chances);
      memory->arms.push_back(arm);
      rollout.patches.push_back({draw_.below(scene.image_count()), within(arm / options_.regions, places),
                                 within(arm % options_.regions, places)});
    }
    rollout.memory = std::move(memory);
    return rollout;
  }

  bool is_trainable() const override { return true; }

  std::vector<std::pair<std::string, double>> train_step(const std::vector<nbs::RewardedRollout>& rollouts) override {
    double* const preferences = preferences_.data_ptr<double>();
    for (const auto& rewarded : rollouts) {
      const auto& arms = dynamic_cast<const Memory&>(*rewarded.rollout->memory).arms;
      for (std::size_t i = 0; i < arms.size(); ++i) {
        const double better = rewarded.rewards[i] - baseline_;
        baseline_ = options_.baseline_decay * baseline_ + (1 - options_.baseline_decay) * rewarded.rewards[i];
        const auto chances = torch::softmax(preferences_, 0);
        preferences_.sub_(chances, options_.learning_rate * better);
        preferences[arms[i]] += options_.learning_rate * better;
      }
    }
    const auto chances = torch::softmax(preferences_, 0);
    return {{"baseline", baseline_}, {"largest_chance", chances.max().item<double>()}};
  }

  void save(nbs::State& state) const override {
    state.write("preferences", preferences_);
    state.write("baseline", torch::tensor(baseline_, torch::kFloat64));
  }
  void load(const nbs::State& state) override {
    state.read_into("preferences", preferences_);
    baseline_ = state.read("baseline", {}, torch::kFloat64).item<double>();
  }

 private:
  /// The arms of a rollout, for the lesson that it may give.
  struct Memory : nbs::RolloutMemory {
    std::vector<std::int64_t> arms;
  };

  std::int64_t draw_arm(const torch::Tensor& chances) {
    double left = draw_.uniform();
    const double* const all = chances.data_ptr<double>();
    for (std::int64_t arm = 0; arm + 1 < chances.numel(); ++arm) {
      left -= all[arm];
      if (left < 0) return arm;
    }
    return chances.numel() - 1;
  }

  // A place anywhere in a region; where there are fewer places than regions, the nearest one.
  std::int64_t within(std::int64_t region, std::int64_t places) {
    const std::int64_t first = places * region / options_.regions;
    const std::int64_t size = places * (region + 1) / options_.regions - first;
    return size == 0 ? first : first + draw_.below(size);
  }

  Options options_;
  nbs::Draw draw_;
  torch::Tensor preferences_;  // [regions x regions], row by row
  double baseline_ = 0;
};

}  // namespace

NBS_PLUGIN("bandit", "1.0.0") {
  registrar.add<BanditSampler>("bandit", "A gradient bandit whose arms are regions of the image plane");
}
