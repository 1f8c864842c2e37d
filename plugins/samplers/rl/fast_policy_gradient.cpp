// SPDX-License-Identifier: Apache-2.0
#include "fast_policy_gradient.h"

#include <algorithm>

#include <ATen/Parallel.h>

#include "nbs/error.h"
#include "nbs/matrix_product.h"
#include "nbs/state.h"
#include "nbs/trainable_network.h"

namespace nbs::rl {

namespace {

#define NBS_INLINE inline __attribute__((always_inline))

// Adds the gradient of a convolution's weights to sum[row of the kernel][its column and input channel][output channel]:
// so the output channels, of which there are many, lie along the vectors.
struct OfWeights {
  const float* given;  // the convolution's input with its border
  std::int64_t given_row;
  const float* gradient;  // of its output, from the first pixel that is no border
  std::int64_t gradient_row;
  std::int64_t side;  // of the output
  std::int64_t inputs;
  std::int64_t outputs;
  float* sum;

  template <typename Width>
  NBS_INLINE void run(std::int64_t, std::int64_t) const {
    const std::int64_t taps = 3 * inputs;
    for (std::int64_t row = 0; row < 3; ++row) {
      for (std::int64_t y = 0; y < side; ++y) {
        MatrixProduct{given + (2 * y + row) * given_row,
                      1,
                      2 * inputs,
                      gradient + y * gradient_row,
                      outputs,
                      sum + row * taps * outputs,
                      outputs,
                      taps,
                      side,
                      outputs,
                      true}
            .template run<Width>();
      }
    }
  }
};

// The gradient of a convolution's input. A pixel i of it, along one axis, was multiplied by the kernel's middle for
// output i / 2 if i is even, and by its ends for outputs (i + 1) / 2 and (i - 1) / 2 if i is odd. The last of these may
// be in the border, where the gradient is zero.
struct OfInput {
  const float* gradient;  // of the output, with its border
  std::int64_t gradient_row;
  const float* weights;  // [outputs][3][3][inputs]
  float* to;             // the first pixel that is no border
  std::int64_t to_row;
  std::int64_t side;  // of the input
  std::int64_t inputs;
  std::int64_t outputs;

  template <typename Width>
  NBS_INLINE void run(std::int64_t, std::int64_t) const {
    for (std::int64_t y = 0; y < side; ++y) {
      for (std::int64_t odd = 0; odd < 2; ++odd)
        row_of<Width>(y, odd);
    }
  }

 private:
  // The even or the odd pixels of row y.
  template <typename Width>
  NBS_INLINE void row_of(std::int64_t y, std::int64_t odd) const {
    bool add = false;
    for (std::int64_t row = 1 - y % 2; row < 3; row += 2) {
      const std::int64_t from = (y + 1 - row) / 2;
      for (std::int64_t column = 1 - odd; column < 3; column += 2) {
        const std::int64_t shift = (odd + 1 - column) / 2;
        MatrixProduct{gradient + (from + 1) * gradient_row + (shift + 1) * outputs,
                      outputs,
                      1,
                      weights + (3 * row + column) * inputs,
                      9 * inputs,
                      to + y * to_row + odd * inputs,
                      2 * inputs,
                      (side + 1 - odd) / 2,
                      outputs,
                      inputs,
                      add}
            .template run<Width>();
        add = true;
      }
    }
  }
};
#undef NBS_INLINE

// Adds the sum over `count` rows to `sum`, `columns` numbers each.
void add_rows(const float* rows, std::int64_t count, std::int64_t columns, float* sum) {
  for (std::int64_t r = 0; r < count; ++r, rows += columns) {
    for (std::int64_t k = 0; k < columns; ++k)
      sum[k] += rows[k];
  }
}

// Gradients of what ReLU gave to those of what it was given.
void through_relu(const float* given, std::int64_t count, float* gradient) {
  for (std::int64_t i = 0; i < count; ++i)
    gradient[i] = given[i] > 0 ? gradient[i] : 0.0F;
}

void with_border(const float* plain, const LayerInput& map, float* bordered) {
  const std::int64_t row = map.side * map.channels;
  for (std::int64_t y = 0; y < map.side; ++y)
    std::copy_n(plain + y * row, row, bordered + map.middle() + y * map.row());
}

}  // namespace

FastPolicyGradient::FastPolicyGradient(const PolicyImpl& policy, const FastPolicy& forward)
    : forward_(forward), convolutions_(forward.convolutions()) {
  for (std::size_t l = 0; l < convolutions_; ++l) {
    const auto& convolution = policy.convolutions()[l];
    parameters_.insert(parameters_.end(), {convolution->weight, convolution->bias});
    outputs_.push_back(forward_.inputs()[l + 1]);
    outputs_.back().border = 1;
  }
  for (const auto& dense : {policy.hidden(), policy.head()})
    parameters_.insert(parameters_.end(), {dense->weight, dense->bias});
}

bool FastPolicyGradient::fits() const {
  return std::all_of(parameters_.begin(), parameters_.end(), is_plain_parameter);
}

FastPolicyGradient::Share FastPolicyGradient::make_share() const {
  Share share;
  for (const auto& map : outputs_)
    share.of_maps.emplace_back(static_cast<std::size_t>(map.numbers()), 0.0F);
  for (const auto& parameter : parameters_)
    share.sums.emplace_back(static_cast<std::size_t>(parameter.numel()));
  return share;
}

void FastPolicyGradient::run(const std::vector<const Trace*>& traces, const torch::Tensor& of_logits) {
  torch::NoGradGuard no_grad;
  std::int64_t states = 0;
  for (const auto* trace : traces)
    states += trace->states;
  if (of_logits.dim() != 2 || of_logits.size(0) != states || of_logits.size(1) != kActions) {
    throw Error("gradients of logits [" + std::to_string(states) + ", " + std::to_string(kActions) +
                "] are wanted, but got " + State::shape_text(of_logits.sizes()));
  }
  const auto gradients = of_logits.contiguous();
  const std::int64_t threads = std::max<std::int64_t>(1, std::min<std::int64_t>(at::get_num_threads(), states));
  const std::int64_t each = (states + threads - 1) / threads;
  while (static_cast<std::int64_t>(shares_.size()) < threads)
    shares_.push_back(make_share());
  at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      auto& share = shares_[static_cast<std::size_t>(t)];
      for (auto& sum : share.sums)
        std::fill(sum.begin(), sum.end(), 0.0F);
      std::int64_t offset = 0;  // of the trace's first state among all
      for (const auto* trace : traces) {
        const std::int64_t first = std::max(t * each, offset);
        const std::int64_t last = std::min((t + 1) * each, offset + trace->states);
        if (first < last)
          add({trace, first - offset, last - first, gradients.data_ptr<float>() + first * kActions}, share);
        offset += trace->states;
      }
    }
  });
  for (std::size_t k = 0; k < parameters_.size(); ++k)
    collect(k, static_cast<std::size_t>(threads));
}

void FastPolicyGradient::add(const Part& part, Share& share) const {
  through_dense(part, share);
  if (convolutions_ == 0) return;
  for (std::int64_t i = 0; i < part.count; ++i)
    through_convolutions(part, i, share);
}

// All states at once: for one, each weight of a dense layer is used for one product only.
void FastPolicyGradient::through_dense(const Part& part, Share& share) const {
  const std::size_t hidden_at = 2 * convolutions_;
  const std::size_t head_at = hidden_at + 2;
  const std::int64_t inner = forward_.inputs()[convolutions_].numbers();
  const std::int64_t hidden = forward_.inputs()[convolutions_ + 1].numbers();
  const float* const features = part.trace->inputs[convolutions_].data() + part.first * inner;
  const float* const activations = part.trace->inputs[convolutions_ + 1].data() + part.first * hidden;

  multiply({part.of_logits, 1, kActions, activations, hidden, share.sums[head_at].data(), hidden, kActions, part.count,
            hidden, true});
  add_rows(part.of_logits, part.count, kActions, share.sums[head_at + 1].data());
  share.of_hidden.resize(static_cast<std::size_t>(part.count * hidden));
  multiply({part.of_logits, kActions, 1, parameters_[head_at].data_ptr<float>(), hidden, share.of_hidden.data(), hidden,
            part.count, kActions, hidden, false});
  through_relu(activations, part.count * hidden, share.of_hidden.data());

  multiply({share.of_hidden.data(), 1, hidden, features, inner, share.sums[hidden_at].data(), inner, hidden, part.count,
            inner, true});
  add_rows(share.of_hidden.data(), part.count, hidden, share.sums[hidden_at + 1].data());
  if (convolutions_ == 0) return;
  share.of_features.resize(static_cast<std::size_t>(part.count * inner));
  multiply({share.of_hidden.data(), hidden, 1, parameters_[hidden_at].data_ptr<float>(), inner,
            share.of_features.data(), inner, part.count, hidden, inner, false});
  through_relu(features, part.count * inner, share.of_features.data());
}

// `state`: of the part.
void FastPolicyGradient::through_convolutions(const Part& part, std::int64_t state, Share& share) const {
  const auto& last = outputs_.back();
  with_border(share.of_features.data() + state * last.side * last.side * last.channels, last,
              share.of_maps.back().data());
  for (std::size_t l = convolutions_; l-- > 0;) {
    const auto& input = forward_.inputs()[l];
    const auto& output = outputs_[l];
    const float* const given = part.trace->inputs[l].data() + (part.first + state) * input.numbers();
    const float* const gradient = share.of_maps[l].data();
    const float* const inside = gradient + output.middle();
    vectors::run_in_widest(OfWeights{given, input.row(), inside, output.row(), output.side, input.channels,
                                     output.channels, share.sums[2 * l].data()},
                           0, 1);
    for (std::int64_t y = 0; y < output.side; ++y)
      add_rows(inside + y * output.row(), output.side, output.channels, share.sums[2 * l + 1].data());
    if (l == 0) break;
    float* const to = share.of_maps[l - 1].data();
    vectors::run_in_widest(OfInput{gradient, output.row(), parameters_[2 * l].data_ptr<float>(), to + input.middle(),
                                   input.row(), input.side, input.channels, output.channels},
                           0, 1);
    through_relu(given, input.numbers(), to);
  }
}

// The sum of the shares in the parameter's own order.
void FastPolicyGradient::collect(std::size_t parameter, std::size_t shares) {
  auto& total = shares_.front().sums[parameter];
  for (std::size_t s = 1; s < shares; ++s) {
    const auto& more = shares_[s].sums[parameter];
    for (std::size_t i = 0; i < total.size(); ++i)
      total[i] += more[i];
  }
  float* const gradient = parameters_[parameter].grad().data_ptr<float>();
  const bool of_convolution = parameter < 2 * convolutions_ && parameter % 2 == 0;
  const std::size_t outputs = of_convolution ? static_cast<std::size_t>(outputs_[parameter / 2].channels) : 1;
  const std::size_t taps = total.size() / outputs;
  for (std::size_t tap = 0; tap < taps; ++tap) {
    for (std::size_t o = 0; o < outputs; ++o)
      gradient[o * taps + tap] = total[tap * outputs + o];
  }
}

}  // namespace nbs::rl
