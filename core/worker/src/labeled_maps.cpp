// SPDX-License-Identifier: Apache-2.0
#include "labeled_maps.h"

#include <numeric>

#include "nbs/torch.h"

#include "images.h"

namespace nbs::worker {

LabeledMaps labeled_maps(training::Inference& inference, const training::TrainingImages& images) {
  LabeledMaps labeled;
  std::vector<torch::Tensor> maps;
  bool any_anomaly = false;
  for (std::int64_t i = 0; i < images.labeled; ++i) {
    auto map = inference.out_of_fold(images.image(i), i);
    if (!map.defined()) continue;
    maps.push_back(std::move(map));
    labeled.images.push_back(i);
    any_anomaly = any_anomaly || images.masks[i].any().item<bool>();
  }
  if (any_anomaly) {
    labeled.maps = torch::stack(maps);
    labeled.honest = true;
    return labeled;
  }
  labeled.images.resize(static_cast<std::size_t>(images.labeled));
  std::iota(labeled.images.begin(), labeled.images.end(), 0);
  labeled.maps = torch::empty({images.labeled, images.size(), images.size()});
  for (std::int64_t i = 0; i < images.labeled; ++i)
    labeled.maps[i].copy_(inference.probability(images.image(i)));
  labeled.honest = !inference.learned();
  return labeled;
}

torch::Tensor colors_of(const LabeledMaps& labeled, const training::TrainingImages& images) {
  if (labeled.images.empty()) return torch::empty({0, 3, images.size(), images.size()});
  std::vector<torch::Tensor> colors;
  colors.reserve(labeled.images.size());
  for (const auto image : labeled.images)
    colors.push_back(images.image(image));
  return torch::stack(colors);
}

std::vector<evaluation::ScoredImage> labeled_images(const LabeledMaps& labeled, const training::TrainingImages& images,
                                                    const std::vector<std::string>& ids) {
  std::vector<evaluation::ScoredImage> scored;
  for (std::size_t i = 0; i < labeled.images.size(); ++i) {
    evaluation::ScoredImage image;
    if (!ids.empty()) image.id = ids[static_cast<std::size_t>(labeled.images[i])];
    image.size = images.size();
    image.probability = values_of(labeled.maps[static_cast<std::int64_t>(i)]);
    for (const float value : values_of(images.masks[labeled.images[i]]))
      image.mask.push_back(value > 0.5F ? 1 : 0);
    scored.push_back(std::move(image));
  }
  return scored;
}

}  // namespace nbs::worker
