// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "nbs/state.h"
#include "nbs/tensor.h"

namespace nbs {

/// Adam (Kingma & Ba 2015) over one flat vector that all parameters of a module are views of: small networks spend more
/// time in the bookkeeping of a general optimizer than in arithmetic. Same update as torch::optim::Adam: weight decay
/// is added to the gradient, epsilon to the root.
class FlatAdam {
 public:
  /// Those of the publication; the names are those of torch::optim::Adam.
  struct Settings {
    double learning_rate = 1e-3;  ///< step size
    double weight_decay = 0;      ///< times the parameter, added to its gradient
    double beta1 = 0.9;           ///< decay of the mean of the gradients
    double beta2 = 0.999;         ///< decay of the mean of their squares
    double epsilon = 1e-8;        ///< added to the root of that mean
  };

  /// Of nothing: to be assigned to.
  FlatAdam() = default;

  /// Moves `parameters` (float32, CPU or one CUDA device) into one vector and gives them gradients that are views of
  /// another. The tensors stay valid and keep their values and memory format.
  FlatAdam(std::vector<torch::Tensor> parameters, Settings settings)
      : settings_(settings), parameters_(std::move(parameters)) {
    torch::NoGradGuard no_grad;
    std::int64_t total = 0;
    for (const auto& parameter : parameters_)
      total += parameter.numel();
    const auto options = parameters_.front().options().requires_grad(false);
    values_ = torch::empty({total}, options);
    gradients_ = torch::zeros({total}, options);
    std::int64_t offset = 0;
    for (auto& parameter : parameters_) {
      const auto view = [&](const torch::Tensor& flat) {
        return flat.slice(0, offset, offset + parameter.numel())
            .as_strided(parameter.sizes(), parameter.strides(), offset);
      };
      auto place = view(values_);
      place.copy_(parameter);
      parameter.set_data(place);
      parameter.mutable_grad() = view(gradients_);
      offset += parameter.numel();
    }
    reset();
  }

  /// Back to the state before the first step.
  void reset() {
    first_ = torch::zeros_like(values_);
    second_ = torch::zeros_like(values_);
    steps_ = 0;
  }

  /// Gradients add up until this is called.
  void zero_grad() { gradients_.zero_(); }

  /// Gradients scaled to a norm of at most `largest`; returns the norm before. `largest` <= 0 only measures.
  double clip(double largest) {
    const double norm = gradients_.norm().item<double>();
    if (largest > 0 && norm > largest) gradients_.mul_(largest / norm);
    return norm;
  }

  /// From the next step on.
  void set_learning_rate(double rate) { settings_.learning_rate = rate; }

  /// Updates so far.
  std::int64_t steps() const { return steps_; }

  /// Moves the parameters by one update.
  void step() {
    torch::NoGradGuard no_grad;
    ++steps_;
    if (settings_.weight_decay != 0) gradients_.add_(values_, settings_.weight_decay);
    first_.mul_(settings_.beta1).add_(gradients_, 1 - settings_.beta1);
    second_.mul_(settings_.beta2).addcmul_(gradients_, gradients_, 1 - settings_.beta2);
    const double correction1 = 1 - std::pow(settings_.beta1, static_cast<double>(steps_));
    const double correction2 = 1 - std::pow(settings_.beta2, static_cast<double>(steps_));
    const auto root = second_.sqrt().div_(std::sqrt(correction2)).add_(settings_.epsilon);
    values_.addcdiv_(first_, root, -settings_.learning_rate / correction1);
  }

  /// Means and number of steps, not the parameters.
  void save(State& state) const {
    state.write("adam.first", first_);
    state.write("adam.second", second_);
    state.write_integer("adam.steps", steps_);
  }
  /// Throws nbs::Error if what was saved is of another number of parameters.
  void load(const State& state) {
    state.read_into("adam.first", first_);
    state.read_into("adam.second", second_);
    steps_ = state.read_integer("adam.steps", 0, std::numeric_limits<std::int64_t>::max());
  }

 private:
  Settings settings_;
  std::vector<torch::Tensor> parameters_;
  torch::Tensor values_;
  torch::Tensor gradients_;
  torch::Tensor first_;
  torch::Tensor second_;
  std::int64_t steps_ = 0;
};

}  // namespace nbs
