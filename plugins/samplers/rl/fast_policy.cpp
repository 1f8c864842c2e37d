// SPDX-License-Identifier: Apache-2.0
#include "fast_policy.h"

#include "nbs/pack_layer.h"

namespace nbs::rl {

FastPolicy::FastPolicy(const PolicyImpl& policy) : convolutions_(policy.convolutions().size()) {
  std::int64_t side = policy.window();
  std::int64_t channels = kStateChannels;
  for (const auto& convolution : policy.convolutions()) {
    inputs_.push_back({side, channels, 1});
    side = (side - 1) / 2 + 1;
    const std::int64_t outputs = convolution->options.out_channels();
    layers_.emplace_back(PackedConvolution::Shape{channels, outputs, 3, 2, side});
    channels = outputs;
  }
  inputs_.push_back({side, channels, 0});
  inputs_.push_back({1, policy.hidden()->options.out_features(), 0});
  for (const auto& dense : {policy.hidden(), policy.head()}) {
    layers_.emplace_back(
        PackedConvolution::Shape{dense->options.in_features(), dense->options.out_features(), 1, 1, 1});
  }
  update(policy);
}

void FastPolicy::update(const PolicyImpl& policy) {
  for (std::size_t i = 0; i < convolutions_; ++i) {
    const auto& convolution = policy.convolutions()[i];
    pack_layer(convolution->weight.permute({0, 2, 3, 1}), convolution->bias, layers_[i]);
  }
  pack_layer(policy.hidden()->weight, policy.hidden()->bias, layers_[convolutions_]);
  pack_layer(policy.head()->weight, policy.head()->bias, layers_[convolutions_ + 1]);
  ++parameters_;
}

Trace FastPolicy::make_trace(std::int64_t states) const {
  Trace trace;
  trace.states = states;
  for (const auto& input : inputs_)
    trace.inputs.emplace_back(static_cast<std::size_t>(states * input.numbers()), 0.0F);
  trace.logits.resize(static_cast<std::size_t>(states * kActions));
  return trace;
}

float* FastPolicy::state(Trace& trace, std::int64_t t) const {
  const auto& input = inputs_.front();
  return trace.inputs.front().data() + t * input.numbers() + input.middle();
}

const float* FastPolicy::run(Trace& trace, std::int64_t t) const {
  float* const logits = trace.logits.data() + t * kActions;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto& input = inputs_[i];
    const float* const in = trace.inputs[i].data() + t * input.numbers();
    // A dense layer reads its map as one pixel of many channels.
    const std::int64_t in_side = i < convolutions_ ? input.side + 2 * input.border : 1;
    if (i + 1 == layers_.size()) {
      layers_[i].run(in, in_side, 1.0F, logits, 0, 0);
      break;
    }
    const auto& next = inputs_[i + 1];
    float* const out = trace.inputs[i + 1].data() + t * next.numbers() + next.middle();
    layers_[i].run(in, in_side, 0.0F, out, next.row(), next.channels);
  }
  trace.parameters = parameters_;
  return logits;
}

}  // namespace nbs::rl
