// SPDX-License-Identifier: Apache-2.0
#include "labeled_maps.h"

#include <numeric>

#include "nbs/torch.h"

#include "images.h"

namespace nbs::worker {

LabeledMaps labeled_maps(training::Inference& inference, const training::TrainingImages& images) {
  LabeledMaps labeled;
  bool any_anomaly = false;
  for (std::int64_t i = 0; i < images.labeled; ++i) {
    auto map = inference.out_of_fold(images.image(i), i);
    if (!map.defined()) continue;
    labeled.maps.push_back(std::move(map));
    labeled.images.push_back(i);
    any_anomaly = any_anomaly || images.masks[i].any().item<bool>();
  }
  labeled.honest = any_anomaly;
  if (any_anomaly) return labeled;
  labeled.maps.clear();
  labeled.images.resize(static_cast<std::size_t>(images.labeled));
  std::iota(labeled.images.begin(), labeled.images.end(), 0);
  for (std::int64_t i = 0; i < images.labeled; ++i)
    labeled.maps.push_back(inference.probability(images.image(i)));
  labeled.honest = !inference.learned();
  return labeled;
}

std::vector<torch::Tensor> colors_of(const LabeledMaps& labeled, const training::TrainingImages& images) {
  std::vector<torch::Tensor> colors;
  for (const auto image : labeled.images)
    colors.push_back(images.image(image));
  return colors;
}

std::vector<evaluation::ScoredImage> labeled_images(const LabeledMaps& labeled, const training::TrainingImages& images,
                                                    const std::vector<std::string>& ids) {
  std::vector<evaluation::ScoredImage> scored;
  for (std::size_t i = 0; i < labeled.images.size(); ++i) {
    evaluation::ScoredImage image;
    if (!ids.empty()) image.id = ids[static_cast<std::size_t>(labeled.images[i])];
    image.height = labeled.maps[i].size(0);
    image.width = labeled.maps[i].size(1);
    image.probability = values_of(labeled.maps[i]);
    for (const float value : values_of(images.masks[labeled.images[i]]))
      image.mask.push_back(value > 0.5F ? 1 : 0);
    scored.push_back(std::move(image));
  }
  return scored;
}

}  // namespace nbs::worker
