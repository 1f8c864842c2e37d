// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nbs/tensor.h"

namespace nbs::rl {

/// Discounted sums of the rewards from each step on: G_t = r_t + gamma G_(t+1).
std::vector<double> discounted_returns(const std::vector<double>& rewards, double gamma);

/// A moving average of the return at each step, over rollouts.
class RunningBaseline {
 public:
  explicit RunningBaseline(double decay) : decay_(decay) {}
  /// Subtracts the average of earlier rollouts from `returns`, then takes them into it. The first rollout is compared
  /// with its own mean.
  void subtract(std::vector<double>& returns);

  torch::Tensor state() const;  ///< [N] float64, empty before the first rollout
  void set_state(const torch::Tensor& state);

 private:
  double decay_;
  std::vector<double> average_;
};

/// What REINFORCE minimizes (Eq. 4, one rollout): -(1/N) sum_t G_t log pi(a_t | s_t), for logits [N, 9], actions [N]
/// (int64) and returns [N]. Differentiable scalar. The division by N keeps the size of a step free of the rollout's
/// length.
torch::Tensor reinforce_loss(const torch::Tensor& logits, const torch::Tensor& actions, const torch::Tensor& returns);

/// The mean over the steps of -sum_a pi(a | s_t) r(s_t, a): what is minimized where the reward of every action is known
/// (the all-action policy gradient, Sutton and Barto 2018, 13.3), for logits and rewards [N, 9]. Differentiable scalar.
torch::Tensor all_action_loss(const torch::Tensor& logits, const torch::Tensor& rewards);

/// Mean entropy of the policy over the states, in nats.
torch::Tensor mean_entropy(const torch::Tensor& logits);

}  // namespace nbs::rl
