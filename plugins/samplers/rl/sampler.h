// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nbs/context.h"
#include "nbs/draw.h"
#include "nbs/sampler.h"
#include "nbs/trainable_network.h"

#include "fast_policy.h"
#include "fast_policy_gradient.h"
#include "options.h"
#include "policy.h"
#include "reinforce.h"

namespace nbs::rl {

/// What a rollout keeps for learning.
class Memory : public RolloutMemory {
 public:
  std::shared_ptr<Trace> trace;
  torch::Tensor actions;  ///< [N] int64
};

/// The paper's neural batch sampler: a policy network that moves a patch over the images, trained by REINFORCE.
class RlSampler : public Sampler {
 public:
  using Options = rl::Options;

  RlSampler(const Options& options, Context& context);

  Rollout sample(Scene& scene, std::int64_t count) override;
  /// The rollouts run at the same time, a core each, as each has its own scene and random source.
  std::vector<Rollout> sample_all(const std::vector<RolloutRequest>& requests) override;
  bool is_trainable() const override { return true; }
  std::vector<std::pair<std::string, double>> train_step(const std::vector<RewardedRollout>& rollouts) override;
  void save(State& state) const override;
  void load(const State& state) override;

  /// The states of a rollout, [N, W, W, 5]: a view of its memory, for as long as that lives.
  torch::Tensor states(const Memory& memory) const;
  /// The network, for tests.
  Policy& policy() { return policy_.network(); }

 private:
  // What a learning step tells and needs of its rollouts.
  struct Numbers {
    double first_return = 0;  // sum over the rollouts
    double advantage = 0;     // sum over all steps
  };
  std::shared_ptr<Trace> free_trace(std::int64_t states);
  Rollout roll_out(Scene& scene, std::shared_ptr<Trace> trace, std::uint64_t seed) const;
  torch::Tensor logits_of(const std::vector<const Memory*>& memories, bool by_hand);
  torch::Tensor rollout_loss(const RewardedRollout& rewarded, const torch::Tensor& logits, Numbers& numbers);
  RunningBaseline& baseline(std::size_t index);

  Options options_;
  Context& context_;
  Draw draw_;
  TrainableNetwork<Policy> policy_;
  FastPolicy fast_;
  FastPolicyGradient fast_gradient_;
  std::vector<std::shared_ptr<Trace>> traces_;  // of earlier rollouts, too: their memory is used again
  std::vector<RunningBaseline> baselines_;      // one for each rollout of an iteration
};

/// The patch after an action 0 … 7 (directions in reading order: up left, up, up right, left, right, down left, down,
/// down right), clamped to the image.
Patch moved(const Patch& patch, std::int64_t action, std::int64_t step, std::int64_t last);

}  // namespace nbs::rl
