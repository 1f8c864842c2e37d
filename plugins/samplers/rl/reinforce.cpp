// SPDX-License-Identifier: Apache-2.0
#include "reinforce.h"

#include <numeric>

#include "nbs/tensor.h"

namespace nbs::rl {

std::vector<double> discounted_returns(const std::vector<double>& rewards, double gamma) {
  std::vector<double> returns(rewards.size());
  double later = 0;
  for (std::size_t i = rewards.size(); i-- > 0;) {
    later = rewards[i] + gamma * later;
    returns[i] = later;
  }
  return returns;
}

void RunningBaseline::subtract(std::vector<double>& returns) {
  if (returns.empty()) return;
  if (average_.size() != returns.size()) {
    const double mean = std::accumulate(returns.begin(), returns.end(), 0.0) / static_cast<double>(returns.size());
    average_ = returns;
    for (double& value : returns)
      value -= mean;
    return;
  }
  for (std::size_t i = 0; i < returns.size(); ++i) {
    const double before = average_[i];
    average_[i] = decay_ * before + (1 - decay_) * returns[i];
    returns[i] -= before;
  }
}

torch::Tensor RunningBaseline::state() const {
  return torch::tensor(average_, torch::kFloat64);
}

void RunningBaseline::set_state(const torch::Tensor& state) {
  const auto values = state.contiguous();
  average_.assign(values.data_ptr<double>(), values.data_ptr<double>() + values.numel());
}

torch::Tensor reinforce_loss(const torch::Tensor& logits, const torch::Tensor& actions, const torch::Tensor& returns) {
  const auto chosen = torch::log_softmax(logits, 1).gather(1, actions.unsqueeze(1)).squeeze(1);
  return -(chosen * returns).mean();
}

torch::Tensor all_action_loss(const torch::Tensor& logits, const torch::Tensor& rewards) {
  // What all actions of a step have in common changes no gradient but by rounding.
  const auto better = rewards - rewards.mean(1, /*keepdim=*/true);
  return -(torch::softmax(logits, 1) * better).sum(1).mean();
}

torch::Tensor mean_entropy(const torch::Tensor& logits) {
  const auto log_probabilities = torch::log_softmax(logits, 1);
  return -(log_probabilities.exp() * log_probabilities).sum(1).mean();
}

}  // namespace nbs::rl
