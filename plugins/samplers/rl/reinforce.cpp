// SPDX-License-Identifier: Apache-2.0
#include "reinforce.h"

#include "nbs/torch.h"

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

torch::Tensor reinforce_loss(const torch::Tensor& logits, const torch::Tensor& actions, const torch::Tensor& returns) {
  const auto chosen = torch::log_softmax(logits, 1).gather(1, actions.unsqueeze(1)).squeeze(1);
  return -(chosen * returns).mean();
}

torch::Tensor mean_entropy(const torch::Tensor& logits) {
  const auto log_probabilities = torch::log_softmax(logits, 1);
  return -(log_probabilities.exp() * log_probabilities).sum(1).mean();
}

}  // namespace nbs::rl
