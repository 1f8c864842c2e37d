// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/ensemble.h"

#include <algorithm>
#include <utility>

#include "nbs/tensor.h"

namespace nbs::training {

Ensemble::Ensemble(std::vector<Inference> models) : models_(std::move(models)) {
  std::stable_sort(models_.begin(), models_.end(), [](const Inference& a, const Inference& b) {
    return a.left_out(0) < b.left_out(0);  // an empty list is less than any other
  });
}

torch::Tensor Ensemble::probability_by_predictor(const torch::Tensor& image) {
  if (models_.size() == 1) return models_.front().probability_by_predictor(image);
  std::vector<torch::Tensor> groups;
  std::vector<torch::Tensor> group;
  for (std::size_t m = 0; m < models_.size(); ++m) {
    group.push_back(models_[m].probability(image));
    if (m + 1 < models_.size() && models_[m + 1].left_out(0) == models_[m].left_out(0)) continue;
    groups.push_back(training::combined(torch::stack(group), 0));
    group.clear();
  }
  return torch::stack(groups);
}

torch::Tensor Ensemble::out_of_fold(const torch::Tensor& image, std::int64_t i) {
  std::vector<torch::Tensor> maps;
  for (auto& model : models_) {
    if (auto map = model.out_of_fold(image, i); map.defined()) maps.push_back(std::move(map));
  }
  return maps.empty() ? torch::Tensor() : training::combined(torch::stack(maps), 0);
}

bool Ensemble::leaves_out(std::int64_t i) const {
  return std::any_of(models_.begin(), models_.end(), [i](const Inference& model) { return model.leaves_out(i); });
}

}  // namespace nbs::training
