// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "nbs/torch.h"

namespace nbs {

/// Adam (Kingma & Ba 2015) over one flat vector that all parameters of a module are views of: small networks spend more
/// time in the bookkeeping of a general optimiser than in arithmetic. Same update as torch::optim::Adam: weight decay
/// is added to the gradient, epsilon to the root.
class FlatAdam {
 public:
  struct Settings {
    double learning_rate = 1e-3;
    double weight_decay = 0;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
  };

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
    forget();
  }

  /// Back to the state before the first step.
  void forget() {
    first_ = torch::zeros_like(values_);
    second_ = torch::zeros_like(values_);
    steps_ = 0;
  }

  void zero_grad() { gradients_.zero_(); }

  /// Gradients scaled to a norm of at most `largest`; returns the norm before. `largest` <= 0 only measures.
  double clip(double largest) {
    const double norm = gradients_.norm().item<double>();
    if (largest > 0 && norm > largest) gradients_.mul_(largest / norm);
    return norm;
  }

  void set_learning_rate(double rate) { settings_.learning_rate = rate; }

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

  void save(torch::serialize::OutputArchive& archive) const {
    archive.write("adam_first", first_);
    archive.write("adam_second", second_);
    archive.write("adam_steps", torch::tensor(steps_));
  }
  void load(torch::serialize::InputArchive& archive) {
    torch::Tensor steps;
    archive.read("adam_first", first_);
    archive.read("adam_second", second_);
    archive.read("adam_steps", steps);
    steps_ = steps.item<std::int64_t>();
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

/// Saves parameters and buffers of `module`.
inline void save_module(const torch::nn::Module& module, torch::serialize::OutputArchive& archive) {
  for (const auto& item : module.named_parameters())
    archive.write("p_" + item.key(), item.value().detach());
  for (const auto& item : module.named_buffers())
    archive.write("b_" + item.key(), item.value(), /*is_buffer=*/true);
}

/// Reads what save_module() wrote, into the live tensors.
inline void load_module(torch::nn::Module& module, torch::serialize::InputArchive& archive) {
  torch::NoGradGuard no_grad;
  for (auto& item : module.named_parameters()) {
    torch::Tensor value;
    archive.read("p_" + item.key(), value);
    item.value().copy_(value);
  }
  for (auto& item : module.named_buffers()) {
    torch::Tensor value;
    archive.read("b_" + item.key(), value, /*is_buffer=*/true);
    item.value().copy_(value);
  }
}

}  // namespace nbs
