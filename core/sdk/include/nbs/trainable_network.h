// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <utility>

#include "nbs/adam.h"
#include "nbs/context.h"
#include "nbs/module_state.h"
#include "nbs/weight_average.h"

namespace nbs {

/// Whether a parameter, float32 on the CPU, and its gradient lie in memory as TrainableNetwork puts them there: weights
/// of convolutions channels last, all others row by row. Then code without tensors can read the one and write the
/// other.
inline bool is_plain_parameter(const torch::Tensor& parameter) {
  const auto order = parameter.dim() == 4 ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  return parameter.is_cpu() && parameter.scalar_type() == torch::kFloat32 && parameter.is_contiguous(order) &&
         parameter.grad().defined() && parameter.grad().strides() == parameter.strides();
}

/// A network with all that training it takes: it lies on the context's device with its convolution weights channels
/// last (oneDNN is about twice as fast so), its parameters are drawn from the context's generator, Adam takes the
/// steps, and, if wanted, a moving average of the weights predicts in place of the last ones. `Network`: a LibTorch
/// module holder, as TORCH_MODULE makes it.
template <typename Network>
class TrainableNetwork {
 public:
  /// How it is trained.
  struct Settings {
    double learning_rate = FlatAdam::Settings().learning_rate;  ///< step size of Adam
    double weight_decay = FlatAdam::Settings().weight_decay;    ///< L2 penalty, added to the gradient
    double ema_decay = 0;  ///< decay per step of the average of the weights; 0: no average
    /// Steps over which the step size falls to a hundredth along half a cosine (Loshchilov & Hutter 2017, without
    /// restarts), and stays there; 0: it does not fall. Context::Facts::training_steps says how many there will be.
    std::int64_t annealing_steps = 0;
  };
  /// Gives all parameters their first values.
  using Initializer = std::function<void(Network&, at::Generator&)>;

  /// `context` must outlive the object.
  TrainableNetwork(Network network, const Settings& settings, Context& context, Initializer initializer)
      : network_(std::move(network)), settings_(settings), context_(&context), initializer_(std::move(initializer)) {
    network_->to(context_->device());
    for (auto& parameter : network_->parameters()) {
      if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
    FlatAdam::Settings adam;
    adam.learning_rate = settings_.learning_rate;
    adam.weight_decay = settings_.weight_decay;
    adam_ = FlatAdam(network_->parameters(), adam);
    initializer_(network_, context_->generator());
    average_ = WeightAverage(*network_, settings_.ema_decay);
  }

  /// Back to an untrained network with newly drawn parameters.
  void reset() {
    initializer_(network_, context_->generator());
    adam_.reset();
    average_ = WeightAverage(*network_, settings_.ema_decay);
  }

  /// One optimizer step down the gradient of `loss`, a scalar that depends on the network's parameters.
  void step(const torch::Tensor& loss) {
    differentiate(loss);
    advance();
  }

  /// The same with the gradient scaled to a norm of at most `largest_norm` (0: any). Returns the norm before.
  double step(const torch::Tensor& loss, double largest_norm) {
    differentiate(loss);
    return step_along_gradients(largest_norm);
  }

  /// The same with gradients that the caller has left in the parameters' grad(), all of them.
  void step_along_gradients() { advance(); }
  /// That with the gradient scaled to a norm of at most `largest_norm` (0: any). Returns the norm before.
  double step_along_gradients(double largest_norm) {
    const double norm = adam_.clip(largest_norm);
    advance();
    return norm;
  }

  /// The averaged weights are in the network for as long as the result lives; the last ones if there is no average.
  WeightAverage::Use averaged() { return WeightAverage::Use(average_); }

  /// `tensor` on the device; images, [B, C, H, W], channels last.
  torch::Tensor to_device(const torch::Tensor& tensor) const {
    const auto moved = tensor.to(context_->device());
    return moved.dim() == 4 ? moved.contiguous(torch::MemoryFormat::ChannelsLast) : moved;
  }

  /// The module: forward(), parameters(), train(), eval().
  auto* operator->() { return network_.get(); }
  /// The same.
  auto& operator*() { return *network_; }
  /// The module holder.
  Network& network() { return network_; }

  /// Parameters, buffers, and the states of Adam and the average.
  void save(State& state) const {
    save_module(*network_, state);
    adam_.save(state);
    average_.save(state);
  }
  /// Reads what save() wrote. Throws nbs::Error if it is of another network or other settings.
  void load(const State& state) {
    load_module(*network_, state);
    adam_.load(state);
    average_.load(state);
  }

  /// Steps since it was made, reset or loaded, those before it was saved included.
  std::int64_t steps() const { return adam_.steps(); }
  /// The step size of the next step.
  double learning_rate() const {
    if (settings_.annealing_steps <= 0) return settings_.learning_rate;
    const double done = static_cast<double>(adam_.steps()) / static_cast<double>(settings_.annealing_steps);
    const double left = 0.5 + 0.5 * std::cos(3.141592653589793 * std::min(1.0, done));
    return settings_.learning_rate * (kLeast + (1 - kLeast) * left);
  }

 private:
  static constexpr double kLeast = 0.01;

  void advance() {
    adam_.set_learning_rate(learning_rate());
    adam_.step();
    average_.update();
  }
  void differentiate(const torch::Tensor& loss) {
    adam_.zero_grad();
    loss.backward();
  }

  Network network_;
  Settings settings_;
  Context* context_;
  Initializer initializer_;
  FlatAdam adam_;
  WeightAverage average_;
};

}  // namespace nbs
