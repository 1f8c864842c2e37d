// SPDX-License-Identifier: Apache-2.0
#include "fast_policy.h"

#include <algorithm>
#include <cstring>

#include "nbs/multiversion.h"

namespace nbs::rl {

namespace {

constexpr std::int64_t kLanes = 16;
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float)), aligned(sizeof(float))));

std::int64_t rounded_up(std::int64_t count) {
  return (count + kLanes - 1) / kLanes * kLanes;
}

// One 3x3 stride-2 convolution with ReLU. Input [padded][padded][inputs] with its zero border; four neighboring output
// pixels share each weight that is loaded. Output pixel (y, x) goes to out + y * out_row + x * outputs.
NBS_MULTIVERSION
void convolve(const float* in, std::int64_t padded, std::int64_t inputs, const float* weights, const float* biases,
              std::int64_t outputs, std::int64_t side, float* out, std::int64_t out_row) {
  for (std::int64_t block = 0; block * kLanes < outputs; ++block) {
    const float* const block_weights = weights + block * 9 * inputs * kLanes;
    const Lanes bias = *reinterpret_cast<const Lanes*>(biases + block * kLanes);
    const std::int64_t kept = std::min(kLanes, outputs - block * kLanes);
    for (std::int64_t y = 0; y < side; ++y) {
      for (std::int64_t x = 0; x < side; x += 4) {
        // The last group of a row is moved left, so that some pixels are computed twice rather than beyond the border.
        const std::int64_t first = side >= 4 ? std::min(x, side - 4) : 0;
        const std::int64_t count = std::min<std::int64_t>(4, side);
        Lanes sum[4] = {bias, bias, bias, bias};
        for (std::int64_t ky = 0; ky < 3; ++ky) {
          const float* const row = in + ((2 * y + ky) * padded + 2 * first) * inputs;
          const float* w = block_weights + ky * 3 * inputs * kLanes;
          // The three taps of a row of the kernel are neighbors in memory: one run of 3 x inputs values.
          const std::int64_t step = 2 * inputs;
          if (count == 4) {
            for (std::int64_t k = 0; k < 3 * inputs; ++k, w += kLanes) {
              const Lanes weight = *reinterpret_cast<const Lanes*>(w);
              sum[0] += row[k] * weight;
              sum[1] += row[k + step] * weight;
              sum[2] += row[k + 2 * step] * weight;
              sum[3] += row[k + 3 * step] * weight;
            }
          } else {
            for (std::int64_t k = 0; k < 3 * inputs; ++k, w += kLanes) {
              const Lanes weight = *reinterpret_cast<const Lanes*>(w);
              for (std::int64_t i = 0; i < count; ++i)
                sum[i] += row[k + i * step] * weight;
            }
          }
        }
        for (std::int64_t i = 0; i < count; ++i) {
          float* const to = out + y * out_row + (first + i) * outputs + block * kLanes;
          float values[kLanes];
          std::memcpy(values, &sum[i], sizeof values);
          for (std::int64_t c = 0; c < kept; ++c)
            to[c] = std::max(values[c], 0.0F);
        }
      }
    }
  }
}

NBS_MULTIVERSION
void multiply(const float* in, std::int64_t inputs, const float* weights, const float* biases, std::int64_t outputs,
              bool relu, float* out) {
  for (std::int64_t block = 0; block * kLanes < outputs; ++block) {
    // Four partial sums, so that an addition need not wait for the one before.
    Lanes sum[4] = {*reinterpret_cast<const Lanes*>(biases + block * kLanes), {}, {}, {}};
    const float* w = weights + block * inputs * kLanes;
    std::int64_t i = 0;
    for (; i + 4 <= inputs; i += 4, w += 4 * kLanes) {
      for (std::int64_t k = 0; k < 4; ++k)
        sum[k] += in[i + k] * *reinterpret_cast<const Lanes*>(w + k * kLanes);
    }
    for (; i < inputs; ++i, w += kLanes)
      sum[0] += in[i] * *reinterpret_cast<const Lanes*>(w);
    const Lanes total = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    float values[kLanes];
    std::memcpy(values, &total, sizeof values);
    for (std::int64_t c = 0; c < kLanes; ++c)
      out[block * kLanes + c] = relu ? std::max(values[c], 0.0F) : values[c];
  }
}

void pack_biases(const torch::Tensor& bias, std::vector<float>& to) {
  const auto values = bias.detach().to(torch::kCPU).contiguous();
  std::fill(to.begin(), to.end(), 0.0F);
  std::copy_n(values.data_ptr<float>(), values.numel(), to.begin());
}

// [outputs, inputs] -> [outputs / 16][inputs][16].
void pack_rows(const torch::Tensor& weight, std::vector<float>& to) {
  const auto values = weight.detach().to(torch::kCPU).contiguous();
  const std::int64_t outputs = values.size(0);
  const std::int64_t inputs = values.size(1);
  const float* const from = values.data_ptr<float>();
  std::fill(to.begin(), to.end(), 0.0F);
  for (std::int64_t o = 0; o < outputs; ++o) {
    for (std::int64_t i = 0; i < inputs; ++i)
      to[static_cast<std::size_t>(((o / kLanes) * inputs + i) * kLanes + o % kLanes)] = from[o * inputs + i];
  }
}

}  // namespace

FastPolicy::FastPolicy(const PolicyImpl& policy) : window_(policy.window()) {
  std::int64_t side = window_;
  for (const auto& convolution : policy.convolutions()) {
    Layer layer;
    layer.inputs = convolution->options.in_channels();
    layer.outputs = convolution->options.out_channels();
    // A border on each side; the last tap of an even side needs no second one, but it does no harm.
    layer.padded_side = side + 2;
    layer.padded_input.assign(static_cast<std::size_t>(layer.padded_side * layer.padded_side * layer.inputs), 0.0F);
    side = (side - 1) / 2 + 1;
    layer.side = side;
    layer.weights.resize(static_cast<std::size_t>(rounded_up(layer.outputs) * 9 * layer.inputs));
    layer.biases.resize(static_cast<std::size_t>(rounded_up(layer.outputs)));
    layers_.push_back(std::move(layer));
  }
  const std::int64_t features = side * side * (layers_.empty() ? kStateChannels : layers_.back().outputs);
  features_.resize(static_cast<std::size_t>(features));
  const auto dense = [](const torch::nn::Linear& linear) {
    Dense made;
    made.inputs = linear->options.in_features();
    made.outputs = linear->options.out_features();
    made.weights.resize(static_cast<std::size_t>(rounded_up(made.outputs) * made.inputs));
    made.biases.resize(static_cast<std::size_t>(rounded_up(made.outputs)));
    made.result.resize(static_cast<std::size_t>(rounded_up(made.outputs)));
    return made;
  };
  hidden_ = dense(policy.hidden());
  head_ = dense(policy.head());
  update(policy);
}

void FastPolicy::update(const PolicyImpl& policy) {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto& layer = layers_[i];
    // [out, in, ky, kx] -> rows of [ky][kx][in].
    const auto weight = policy.convolutions()[i]->weight.detach().permute({0, 2, 3, 1}).reshape({layer.outputs, -1});
    pack_rows(weight, layer.weights);
    pack_biases(policy.convolutions()[i]->bias, layer.biases);
  }
  pack_rows(policy.hidden()->weight, hidden_.weights);
  pack_biases(policy.hidden()->bias, hidden_.biases);
  pack_rows(policy.head()->weight, head_.weights);
  pack_biases(policy.head()->bias, head_.biases);
}

void FastPolicy::logits(const float* state, float* logits) {
  // Into the middle of the first padded input; the border stays zero.
  const auto interior = [](std::vector<float>& padded, std::int64_t padded_side, std::int64_t channels) {
    return padded.data() + (padded_side + 1) * channels;
  };
  if (layers_.empty()) {
    std::copy_n(state, features_.size(), features_.begin());
  } else {
    auto& first = layers_.front();
    float* const to = interior(first.padded_input, first.padded_side, first.inputs);
    for (std::int64_t y = 0; y < window_; ++y) {
      std::copy_n(state + y * window_ * first.inputs, window_ * first.inputs,
                  to + y * first.padded_side * first.inputs);
    }
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    auto& layer = layers_[i];
    const bool last = i + 1 == layers_.size();
    float* const out =
        last ? features_.data() : interior(layers_[i + 1].padded_input, layers_[i + 1].padded_side, layer.outputs);
    const std::int64_t out_row = (last ? layer.side : layers_[i + 1].padded_side) * layer.outputs;
    convolve(layer.padded_input.data(), layer.padded_side, layer.inputs, layer.weights.data(), layer.biases.data(),
             layer.outputs, layer.side, out, out_row);
  }
  multiply(features_.data(), hidden_.inputs, hidden_.weights.data(), hidden_.biases.data(), hidden_.outputs, true,
           hidden_.result.data());
  multiply(hidden_.result.data(), head_.inputs, head_.weights.data(), head_.biases.data(), head_.outputs, false,
           head_.result.data());
  std::copy_n(head_.result.data(), kActions, logits);
}

}  // namespace nbs::rl
