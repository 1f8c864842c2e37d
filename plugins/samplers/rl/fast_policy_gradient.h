// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/tensor.h"

#include "fast_policy.h"
#include "policy.h"

namespace nbs::rl {

/// From the gradient of the logits to that of the policy's parameters, on the CPU: the rollouts have left what each
/// layer was given, and each state goes through the layers backward by one core while its maps lie in that core's
/// cache. LibTorch computes the forward pass anew and takes twice as long.
class FastPolicyGradient {
 public:
  /// Of `policy`; `forward` is what fills its traces. Both must outlive the object.
  FastPolicyGradient(const PolicyImpl& policy, const FastPolicy& forward);

  /// Whether it can do that for this network where it lies now.
  bool fits() const;

  /// Leaves the gradient in the parameters' grad(). `traces` are of `forward` with the parameters as they are;
  /// `of_logits` is the gradient of the logits, [states of all traces, 9] float32. The same bits with the same number
  /// of threads.
  void run(const std::vector<const Trace*>& traces, const torch::Tensor& of_logits);

 private:
  // What a core works on, and what it adds up over its states.
  struct Share {
    std::vector<float> of_hidden;             // gradients of the head's input, [states][hidden]
    std::vector<float> of_features;           // of the hidden layer's input, [states][its numbers]
    std::vector<std::vector<float>> of_maps;  // of the output of each convolution, with a border of zeros
    std::vector<std::vector<float>> sums;     // of the gradients of parameters_; weights of convolutions: see OfWeights
  };
  // States `first` to `first + count` of a trace.
  struct Part {
    const Trace* trace;
    std::int64_t first;
    std::int64_t count;
    const float* of_logits;  // [count][9]
  };
  Share make_share() const;
  void add(const Part& part, Share& share) const;
  void through_dense(const Part& part, Share& share) const;
  void through_convolutions(const Part& part, std::int64_t state, Share& share) const;
  void collect(std::size_t parameter, std::size_t shares);

  const FastPolicy& forward_;
  std::size_t convolutions_;
  std::vector<LayerInput> outputs_;        // of the convolutions, all with borders
  std::vector<torch::Tensor> parameters_;  // weights and biases of each layer
  std::vector<Share> shares_;
};

}  // namespace nbs::rl
