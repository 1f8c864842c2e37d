// SPDX-License-Identifier: Apache-2.0
#include "images.h"

#include <string>

#include "nbs/error.h"
#include "nbs/torch.h"

namespace nbs::worker {

training::TrainingImages as_tensors(data::TrainingSet& set) {
  training::TrainingImages images;
  images.labeled = set.labeled;
  images.unlabeled = set.unlabeled;
  images.ids = set.ids;
  images.images = training::Images(set.images, set.places);
  images.masks = set.labeled == 0 ? torch::zeros({0, set.size, set.size})
                                  : torch::from_blob(set.masks.data(), {set.labeled, set.size, set.size});
  return images;
}

std::int64_t checksum_of_masks(const training::TrainingImages& images) {
  return images.masks.view(torch::kInt32).sum().item<std::int64_t>();
}

void require_unchanged(const training::TrainingImages& images, std::int64_t masks, const char* when) {
  if (images.images.unwritten() && checksum_of_masks(images) == masks) return;
  throw Error(std::string("the images or masks of the data set have changed in memory during ") + when +
              ": a plugin has written into what it is only given to read, so nothing that came of this run can be "
              "trusted; find the plugin, which writes through a pointer (data_ptr) of an image, and run again");
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
