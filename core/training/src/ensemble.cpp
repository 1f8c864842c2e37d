// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/ensemble.h"

#include <algorithm>

#include "nbs/tensor.h"

namespace nbs::training {

torch::Tensor Ensemble::probability_by_predictor(const torch::Tensor& image) {
  if (models_.size() == 1) return models_.front().probability_by_predictor(image);
  std::vector<torch::Tensor> maps;
  maps.reserve(models_.size());
  for (auto& model : models_)
    maps.push_back(model.probability_by_predictor(image));
  return torch::cat(maps);
}

std::int64_t Ensemble::fully_taught() const {
  return std::count_if(models_.begin(), models_.end(),
                       [](const Inference& model) { return model.left_out(0).empty(); });
}

torch::Tensor Ensemble::out_of_fold(const torch::Tensor& image, std::int64_t i) {
  std::vector<torch::Tensor> maps;
  for (auto& model : models_) {
    if (auto map = model.out_of_fold(image, i); map.defined()) maps.push_back(std::move(map));
  }
  if (maps.size() < 2) return maps.empty() ? torch::Tensor() : maps.front();
  return torch::stack(maps).mean(0);
}

bool Ensemble::leaves_out(std::int64_t i) const {
  return std::any_of(models_.begin(), models_.end(), [i](const Inference& model) { return model.leaves_out(i); });
}

}  // namespace nbs::training
