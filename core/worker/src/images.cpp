// SPDX-License-Identifier: Apache-2.0
#include "images.h"

#include <numeric>
#include <string>

#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/tensor.h"

namespace nbs::worker {

namespace {

// Of so many images from `first` on.
std::int64_t views_in(const data::TrainingSet& set, std::int64_t first, std::int64_t count) {
  if (set.plans.empty()) return count;
  return std::accumulate(set.plans.begin() + first, set.plans.begin() + first + count, std::int64_t{0},
                         [](std::int64_t sum, const data::ViewPlan& plan) { return sum + plan.count(); });
}

// A view has the name of its image, and where it lies there if it is not the only one.
std::vector<std::string> ids_of_views(const data::TrainingSet& set) {
  if (set.plans.empty()) return set.ids;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < set.ids.size(); ++i) {
    const auto& plan = set.plans[i];
    for (std::int64_t view = 0; view < plan.count(); ++view) {
      const auto part = plan.view(view);
      ids.push_back(plan.count() == 1 ? set.ids[i] : fmt::format("{}@{},{}", set.ids[i], part.y, part.x));
    }
  }
  return ids;
}

}  // namespace

training::TrainingImages as_tensors(data::TrainingSet& set) {
  training::TrainingImages images;
  images.labeled = views_in(set, 0, set.labeled);
  images.unlabeled = views_in(set, set.labeled, set.unlabeled);
  images.ids = ids_of_views(set);
  images.plans = set.plans;
  images.images = training::Images(set.images, set.places);
  images.masks = set.labeled == 0 ? torch::zeros({0, set.size, set.size})
                                  : torch::from_blob(set.masks.data(), {images.labeled, set.size, set.size});
  return images;
}

std::int64_t views_of_held_out(const data::TrainingSet& set, std::int64_t count) {
  return views_in(set, static_cast<std::int64_t>(set.ids.size()) - count, count);
}

std::int64_t checksum_of_masks(const training::TrainingImages& images) {
  return images.masks.view(torch::kInt32).sum().item<std::int64_t>();
}

void require_unchanged(const training::TrainingImages& images, std::int64_t masks, const char* when) {
  if (images.images.unwritten() && checksum_of_masks(images) == masks) return;
  throw training::images_changed(when);
}

torch::Tensor as_tensor(const cv::Mat& image) {
  const cv::Mat whole = image.isContinuous() ? image : image.clone();
  return torch::from_blob(whole.data, {whole.rows, whole.cols, 3})
      .permute({2, 0, 1})
      .clone(torch::MemoryFormat::Contiguous);
}

cv::Mat as_mat(const torch::Tensor& map) {
  const auto whole = map.contiguous();
  const cv::Mat view(static_cast<int>(map.size(0)), static_cast<int>(map.size(1)), CV_32F, whole.data_ptr<float>());
  return view.clone();
}

std::vector<float> values_of(const torch::Tensor& map) {
  const auto whole = map.contiguous();
  return {whole.data_ptr<float>(), whole.data_ptr<float>() + whole.numel()};
}

}  // namespace nbs::worker
