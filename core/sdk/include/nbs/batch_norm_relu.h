// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include <ATen/Parallel.h>
#include <torch/autograd.h>
#include <torch/nn/modules/batchnorm.h>

#include "nbs/tensor.h"
#include "nbs/vectors.h"

namespace nbs {

/// The passes over memory of BatchNormRelu below: rows of C numbers, eight channels at a time in vector registers.
namespace channel_rows {

#define NBS_INLINE inline __attribute__((always_inline))
using vectors::Eight;
using EightWords = std::uint32_t __attribute__((vector_size(32), aligned(4)));
using EightHalves = std::uint16_t __attribute__((vector_size(16), aligned(2)));

// How a number lies in memory: float, or bfloat16, which is the upper half of a float.
template <typename T>
NBS_INLINE void load(const float* from, T& value) {
  __builtin_memcpy(&value, from, sizeof value);
}
template <typename T>
NBS_INLINE void store(const T& value, float* to) {
  __builtin_memcpy(to, &value, sizeof value);
}
NBS_INLINE void load(const c10::BFloat16* from, Eight& value) {
  EightHalves halves;
  __builtin_memcpy(&halves, from, sizeof halves);
  const EightWords words = __builtin_convertvector(halves, EightWords) << 16;
  __builtin_memcpy(&value, &words, sizeof value);
}
NBS_INLINE void store(const Eight& value, c10::BFloat16* to) {
  EightWords words;
  __builtin_memcpy(&words, &value, sizeof words);
  // To the nearest, to the even one of two that are as near.
  words = (words + 0x7fffU + ((words >> 16) & 1U)) >> 16;
  const EightHalves halves = __builtin_convertvector(words, EightHalves);
  __builtin_memcpy(to, &halves, sizeof halves);
}
NBS_INLINE void load(const c10::BFloat16* from, float& value) {
  value = *from;
}
NBS_INLINE void store(float value, c10::BFloat16* to) {
  *to = value;
}

/// Of each channel: y = relu(a x + b); the normalized x is (x - mean) / deviation; the gradient of x is
/// a (g - constant - slope (x - mean)) with g that of a x + b.
struct Channels {
  std::vector<float> a, b, mean, constant, slope;
};

/// Adds x - center and its square to `sum` [2][C].
template <typename Number>
struct Moments {
  const Number* x;
  const float* center;
  template <typename T>
  NBS_INLINE void run(std::int64_t C, std::int64_t c, std::int64_t first, std::int64_t last, float* sum) const {
    T middle, total, squares, value;
    load(center + c, middle);
    load(sum + c, total);
    load(sum + C + c, squares);
    for (std::int64_t at = first * C + c; at < last * C + c; at += C) {
      load(x + at, value);
      value -= middle;
      total += value;
      squares += value * value;
    }
    store(total, sum + c);
    store(squares, sum + C + c);
  }
};

/// Writes relu(a x + b).
template <typename Number>
struct Forward {
  const Number* x;
  const Channels& channels;
  Number* y;
  template <typename T>
  NBS_INLINE void run(std::int64_t C, std::int64_t c, std::int64_t first, std::int64_t last, float*) const {
    T a, b, value;
    load(channels.a.data() + c, a);
    load(channels.b.data() + c, b);
    for (std::int64_t at = first * C + c; at < last * C + c; at += C) {
      load(x + at, value);
      value = value * a + b;
      const T kept = value > 0.0F ? value : T{};
      store(kept, y + at);
    }
  }
};

/// Adds g and g (x - mean) to `sum` [2][C].
template <typename Number>
struct Gradients {
  const Number* x;
  const Number* above;  // the gradient of y
  const Channels& channels;
  template <typename T>
  NBS_INLINE void run(std::int64_t C, std::int64_t c, std::int64_t first, std::int64_t last, float* sum) const {
    T a, b, mean, total, with_x, value, g;
    load(channels.a.data() + c, a);
    load(channels.b.data() + c, b);
    load(channels.mean.data() + c, mean);
    load(sum + c, total);
    load(sum + C + c, with_x);
    for (std::int64_t at = first * C + c; at < last * C + c; at += C) {
      load(x + at, value);
      load(above + at, g);
      g = value * a + b > 0.0F ? g : T{};
      total += g;
      with_x += g * (value - mean);
    }
    store(total, sum + c);
    store(with_x, sum + C + c);
  }
};

/// Writes the gradient of x.
template <typename Number>
struct Backward {
  const Number* x;
  const Number* above;
  const Channels& channels;
  Number* to;
  template <typename T>
  NBS_INLINE void run(std::int64_t C, std::int64_t c, std::int64_t first, std::int64_t last, float*) const {
    T a, b, mean, constant, slope, value, g;
    load(channels.a.data() + c, a);
    load(channels.b.data() + c, b);
    load(channels.mean.data() + c, mean);
    load(channels.constant.data() + c, constant);
    load(channels.slope.data() + c, slope);
    for (std::int64_t at = first * C + c; at < last * C + c; at += C) {
      load(x + at, value);
      load(above + at, g);
      g = value * a + b > 0.0F ? g : T{};
      const T result = a * (g - constant - slope * (value - mean));
      store(result, to + at);
    }
  }
};

/// One of these passes over rows first … last - 1, a few rows at a time, so that the channels that follow find them in
/// the cache.
template <typename Pass>
void run(const Pass& pass, std::int64_t C, std::int64_t first, std::int64_t last, float* sum) {
  in_widest_vectors([&]() __attribute__((always_inline)) {
    constexpr std::int64_t kRows = 64;
    for (std::int64_t row = first; row < last; row += kRows) {
      const std::int64_t end = std::min(row + kRows, last);
      std::int64_t c = 0;
      for (; c + 8 <= C; c += 8)
        pass.template run<Eight>(C, c, row, end, sum);
      for (; c < C; ++c)
        pass.template run<float>(C, c, row, end, sum);
    }
  });
}
#undef NBS_INLINE

constexpr std::int64_t kPiece = 2048;  // rows

/// A pass that writes.
template <typename Pass>
void run_all(const Pass& pass, std::int64_t C, std::int64_t rows) {
  at::parallel_for(0, rows, kPiece, [&](std::int64_t first, std::int64_t last) { run(pass, C, first, last, nullptr); });
}

/// A pass that adds: its sums [2][C] over all rows, from pieces of fixed size, so that the bits do not depend on the
/// number of threads.
template <typename Pass>
std::vector<double> sum_all(const Pass& pass, std::int64_t C, std::int64_t rows) {
  const std::int64_t pieces = (rows + kPiece - 1) / kPiece;
  std::vector<float> partial(static_cast<std::size_t>(pieces * 2 * C), 0.0F);
  at::parallel_for(0, pieces, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t piece = begin; piece < end; ++piece)
      run(pass, C, piece * kPiece, std::min((piece + 1) * kPiece, rows), partial.data() + piece * 2 * C);
  });
  std::vector<double> sums(static_cast<std::size_t>(2 * C), 0.0);
  for (std::size_t i = 0; i < partial.size(); ++i)
    sums[i % sums.size()] += partial[i];
  return sums;
}

}  // namespace channel_rows

/// Batch normalization (Ioffe & Szegedy 2015) and ReLU in one, for training on the CPU: what LibTorch does in seven
/// passes over memory, one of them slow, this does in four. Channels last. Numbers in memory are float32 or bfloat16,
/// sums and parameters float32.
class BatchNormRelu : public torch::autograd::Function<BatchNormRelu> {
 public:
  /// `x`: [B, C, H, W] float32 or bfloat16, dense, channels last. `statistics`, [2, C], gets mean and (biased)
  /// variance.
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& gamma, const torch::Tensor& beta, double epsilon,
                               const torch::Tensor& statistics) {
    return x.scalar_type() == torch::kBFloat16 ? forward_in<c10::BFloat16>(context, x, gamma, beta, epsilon, statistics)
                                               : forward_in<float>(context, x, gamma, beta, epsilon, statistics);
  }

  /// From the gradient of y to those of what forward() was given.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    return saved[0].scalar_type() == torch::kBFloat16 ? backward_in<c10::BFloat16>(saved, gradients)
                                                      : backward_in<float>(saved, gradients);
  }

 private:
  template <typename Number>
  static torch::Tensor forward_in(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                                  const torch::Tensor& gamma, const torch::Tensor& beta, double epsilon,
                                  const torch::Tensor& statistics) {
    const std::int64_t C = x.size(1);
    const std::int64_t rows = x.numel() / C;
    const Number* const from = x.data_ptr<Number>();
    // Around the first row: the variance of numbers far from zero would be lost in the difference of two large sums.
    const std::vector<float> center(from, from + C);
    const auto sums = channel_rows::sum_all(channel_rows::Moments<Number>{from, center.data()}, C, rows);
    const auto size = static_cast<std::size_t>(C);
    channel_rows::Channels channels;
    std::vector<float> inverse_deviation(size);
    channels.a.resize(size);
    channels.b.resize(size);
    channels.mean.resize(size);
    const auto gammas = gamma.contiguous();
    const auto betas = beta.contiguous();
    for (std::size_t c = 0; c < size; ++c) {
      const double shift = sums[c] / static_cast<double>(rows);
      const double variance = std::max(0.0, sums[size + c] / static_cast<double>(rows) - shift * shift);
      const double mean = center[c] + shift;
      const double inverse = 1 / std::sqrt(variance + epsilon);
      const double slope = gammas.data_ptr<float>()[c] * inverse;
      channels.a[c] = static_cast<float>(slope);
      channels.b[c] = static_cast<float>(betas.data_ptr<float>()[c] - mean * slope);
      channels.mean[c] = static_cast<float>(mean);
      inverse_deviation[c] = static_cast<float>(inverse);
      statistics.data_ptr<float>()[c] = static_cast<float>(mean);
      statistics.data_ptr<float>()[size + c] = static_cast<float>(variance);
    }
    auto y = torch::empty_like(x);
    channel_rows::run_all(channel_rows::Forward<Number>{from, channels, y.data_ptr<Number>()}, C, rows);
    const auto kept = [](const std::vector<float>& values) { return torch::tensor(values); };
    context->save_for_backward({x, kept(channels.a), kept(channels.b), kept(channels.mean), kept(inverse_deviation)});
    return y;
  }

  template <typename Number>
  static torch::autograd::variable_list backward_in(const torch::autograd::variable_list& saved,
                                                    const torch::autograd::variable_list& gradients) {
    const auto& x = saved[0];
    const std::int64_t C = x.size(1);
    const std::int64_t rows = x.numel() / C;
    const auto above = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast);
    const auto list = [C](const torch::Tensor& values) {
      const float* const from = values.data_ptr<float>();
      return std::vector<float>(from, from + C);
    };
    channel_rows::Channels channels = {list(saved[1]), list(saved[2]), list(saved[3]), {}, {}};
    const auto inverse_deviation = list(saved[4]);
    const Number* const from = x.data_ptr<Number>();
    const Number* const of_y = above.data_ptr<Number>();
    const auto sums = channel_rows::sum_all(channel_rows::Gradients<Number>{from, of_y, channels}, C, rows);
    auto of_gamma = torch::empty({C});
    auto of_beta = torch::empty({C});
    const auto size = static_cast<std::size_t>(C);
    channels.constant.resize(size);
    channels.slope.resize(size);
    for (std::size_t c = 0; c < size; ++c) {
      const double with_x = sums[size + c] * inverse_deviation[c];
      of_beta.data_ptr<float>()[c] = static_cast<float>(sums[c]);
      of_gamma.data_ptr<float>()[c] = static_cast<float>(with_x);
      channels.constant[c] = static_cast<float>(sums[c] / static_cast<double>(rows));
      channels.slope[c] = static_cast<float>(with_x * inverse_deviation[c] / static_cast<double>(rows));
    }
    auto of_x = torch::empty_like(x);
    channel_rows::run_all(channel_rows::Backward<Number>{from, of_y, channels, of_x.data_ptr<Number>()}, C, rows);
    return {of_x, of_gamma, of_beta, {}, {}};
  }
};

/// relu(norm(x)) with the running statistics in one pass, where no gradient is asked for. `x`: as for BatchNormRelu,
/// float32.
inline torch::Tensor relu_of_running_norm(const torch::Tensor& x, const torch::nn::BatchNorm2d& norm) {
  const auto slope = norm->weight / torch::sqrt(norm->running_var + norm->options.eps());
  const auto shift = norm->bias - norm->running_mean * slope;
  const auto list = [](const torch::Tensor& values) {
    return std::vector<float>(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  };
  const channel_rows::Channels channels = {list(slope), list(shift), {}, {}, {}};
  auto y = torch::empty_like(x);
  channel_rows::run_all(channel_rows::Forward<float>{x.data_ptr<float>(), channels, y.data_ptr<float>()}, x.size(1),
                        x.numel() / x.size(1));
  return y;
}

/// relu(norm(x)), in training with the statistics of x, which also move the running ones, else with the running ones.
/// `x`: [B, C, H, W], float32 or bfloat16, as is the result.
inline torch::Tensor batch_norm_relu(const torch::Tensor& x, torch::nn::BatchNorm2d& norm) {
  const auto& options = norm->options;
  if (!norm->is_training() && !torch::GradMode::is_enabled() && x.is_cpu() && options.affine() &&
      options.track_running_stats() && x.scalar_type() == torch::kFloat32 && x.numel() > 0 &&
      x.is_contiguous(torch::MemoryFormat::ChannelsLast))
    return relu_of_running_norm(x, norm);
  const bool fused = norm->is_training() && x.is_cpu() && options.affine() &&
                     (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kBFloat16) &&
                     options.track_running_stats() && options.momentum().has_value() &&
                     x.is_contiguous(torch::MemoryFormat::ChannelsLast) && x.size(0) * x.size(2) * x.size(3) > 1;
  if (!fused) return torch::relu(norm->forward(x));
  auto statistics = torch::empty({2, x.size(1)});
  auto y = BatchNormRelu::apply(x, norm->weight, norm->bias, options.eps(), statistics);
  torch::NoGradGuard no_grad;
  const double count = static_cast<double>(x.numel()) / static_cast<double>(x.size(1));
  const double share = *options.momentum();
  norm->running_mean.mul_(1 - share).add_(statistics[0], share);
  norm->running_var.mul_(1 - share).add_(statistics[1], share * count / (count - 1));
  norm->num_batches_tracked.add_(1);
  return y;
}

}  // namespace nbs
