// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/reference_loss.h"

#include "nbs/tensor.h"

namespace nbs::training {

torch::Tensor reference_loss(const std::vector<torch::Tensor>& maps, std::int64_t blur) {
  torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> shapes;
  shapes.reserve(maps.size());
  for (const auto& map : maps) {
    const double mean = map.mean().item<double>();
    shapes.push_back(mean > 0 ? map / mean : map);
  }
  auto median = std::get<0>(torch::stack(shapes).median(0));
  if (blur <= 1) return median;
  const auto padded = torch::replication_pad2d(median.view({1, 1, median.size(0), median.size(1)}),
                                               {blur / 2, blur / 2, blur / 2, blur / 2});
  return torch::avg_pool2d(padded, {blur, blur}, {1, 1}).view(median.sizes());
}

torch::Tensor relative_loss(const torch::Tensor& map, const torch::Tensor& reference) {
  return map / (reference + 0.05);
}

}  // namespace nbs::training
