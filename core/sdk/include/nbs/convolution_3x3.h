// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <variant>

#include <ATen/Parallel.h>
#include <torch/autograd.h>
#include <torch/nn/modules/conv.h>

#include "nbs/tensor.h"
#include "nbs/winograd.h"

namespace nbs {

/// A convolution of 3x3 kernels that keeps the size of its images (stride 1, as many zeros around as the dilation), on
/// the CPU, with a quarter of the multiplications (nbs/winograd.h). A result depends on its own image alone, whatever
/// the batch and the number of threads; the gradient of the weights is summed by thread. Within a tile of 4x4 results
/// all come from the same 6x6 inputs, so one that a result does not depend on can change its last digits.
class Convolution3x3 : public torch::autograd::Function<Convolution3x3> {
 public:
  /// `x`: [B, C, H, W] float32; `weight`: [K, C, 3, 3] float32. Returns [B, K, H, W], channels last.
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& weight, std::int64_t dilation) {
    const auto images = x.contiguous(torch::MemoryFormat::ChannelsLast);
    context->save_for_backward({images, weight});
    context->saved_data["dilation"] = dilation;
    return convolved(images, weight.permute({2, 3, 1, 0}).contiguous(), dilation);
  }

  /// From the gradient of the result to those of what forward() was given.
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto dilation = context->saved_data["dilation"].toInt();
    const auto above = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast);
    torch::Tensor of_x;
    torch::Tensor of_weight;
    if (context->needs_input_grad(0)) {
      // The convolution turned around: with the kernels rotated by half a turn, from results to inputs.
      of_x = convolved(above, saved[1].flip({2, 3}).permute({2, 3, 0, 1}).contiguous(), dilation);
    }
    if (context->needs_input_grad(1)) of_weight = weight_gradient(saved[0], above, dilation);
    return {of_x, of_weight, {}};
  }

 private:
  static winograd::Tiles tiles_of(const torch::Tensor& images, std::int64_t dilation) {
    return {images.size(0), images.size(2), images.size(3), dilation};
  }

  // Kernels [3, 3, C, K].
  static torch::Tensor convolved(const torch::Tensor& images, const torch::Tensor& kernels, std::int64_t dilation) {
    const std::int64_t inputs = kernels.size(2);
    const std::int64_t outputs = kernels.size(3);
    const auto planes = torch::empty({winograd::kPlanes, inputs, winograd::padded(outputs)});
    const winograd::KernelPlanes of_kernels = {kernels.data_ptr<float>(), inputs, outputs, planes.data_ptr<float>()};
    at::parallel_for(0, inputs, 16,
                     [&](std::int64_t first, std::int64_t last) { vectors::run_in_widest(of_kernels, first, last); });
    auto results = torch::empty({images.size(0), outputs, images.size(2), images.size(3)},
                                images.options().memory_format(torch::MemoryFormat::ChannelsLast));
    const winograd::Convolution convolution = {
        tiles_of(images, dilation), inputs, outputs, images.data_ptr<float>(), planes.data_ptr<float>(),
        results.data_ptr<float>()};
    at::parallel_for(0, convolution.tiles.count(), convolution.together(),
                     [&](std::int64_t first, std::int64_t last) { vectors::run_in_widest(convolution, first, last); });
    return results;
  }

  static torch::Tensor weight_gradient(const torch::Tensor& images, const torch::Tensor& above, std::int64_t dilation) {
    const std::int64_t inputs = images.size(1);
    const std::int64_t outputs = above.size(1);
    winograd::KernelGradient gradient = {tiles_of(images, dilation), inputs, outputs, images.data_ptr<float>(),
                                         above.data_ptr<float>(),    nullptr};
    const std::int64_t tiles = gradient.tiles.count();
    const std::int64_t parts = at::in_parallel_region() ? 1 : std::min<std::int64_t>(at::get_num_threads(), tiles);
    auto sums = torch::zeros({parts, winograd::kPlanes, inputs, winograd::padded(outputs)});
    at::parallel_for(0, parts, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t part = begin; part < end; ++part) {
        auto own = gradient;
        own.planes = sums.data_ptr<float>() + part * sums.stride(0);
        vectors::run_in_widest(own, tiles * part / parts, tiles * (part + 1) / parts);
      }
    });
    const auto planes = parts == 1 ? sums : sums.sum(0);
    const auto kernels = torch::empty({3, 3, inputs, outputs});
    const winograd::KernelsOfPlanes to_kernels = {planes.data_ptr<float>(), inputs, outputs, kernels.data_ptr<float>()};
    at::parallel_for(0, inputs, 16,
                     [&](std::int64_t first, std::int64_t last) { vectors::run_in_widest(to_kernels, first, last); });
    return kernels.permute({3, 2, 0, 1});
  }
};

/// Whether Convolution3x3 can take the layer's place, and is faster: with few channels its transforms cost more than
/// they save.
inline bool is_convolution_3x3(const torch::nn::Conv2d& layer) {
  constexpr std::int64_t kFewest = 8;
  const auto& options = layer->options;
  const std::int64_t d = (*options.dilation())[0];
  const auto are = [](const torch::ExpandingArray<2>& numbers, std::int64_t wanted) {
    return (*numbers)[0] == wanted && (*numbers)[1] == wanted;
  };
  using std::get_if;
  const auto* padding = get_if<torch::ExpandingArray<2>>(&options.padding());
  using std::holds_alternative;
  return are(options.kernel_size(), 3) && are(options.stride(), 1) && are(options.dilation(), d) &&
         padding != nullptr && are(*padding, d) && holds_alternative<torch::enumtype::kZeros>(options.padding_mode()) &&
         options.groups() == 1 && options.in_channels() >= kFewest && options.out_channels() >= kFewest;
}

}  // namespace nbs
