// SPDX-License-Identifier: Apache-2.0
#include "labeled_maps.h"

#include <numeric>

#include "nbs/tensor.h"

#include "images.h"

namespace nbs::worker {

LabeledMaps labeled_maps(training::Ensemble& ensemble, const training::WholeImages& images) {
  LabeledMaps labeled;
  labeled.fully_taught = ensemble.fully_taught();
  bool any_anomaly = false;
  for (std::int64_t i = 0; i < images.labeled(); ++i) {
    if (!ensemble.leaves_out(i)) continue;
    const auto of_view = [&](const torch::Tensor& view) { return ensemble.out_of_fold(view, i).unsqueeze(0); };
    labeled.maps.push_back(images.stitched(i, of_view)[0]);
    labeled.images.push_back(i);
    any_anomaly = any_anomaly || images.mask(i).any().item<bool>();
  }
  labeled.honest = any_anomaly;
  if (any_anomaly) return labeled;
  labeled.maps.clear();
  labeled.images.resize(static_cast<std::size_t>(images.labeled()));
  std::iota(labeled.images.begin(), labeled.images.end(), 0);
  for (std::int64_t i = 0; i < images.labeled(); ++i) {
    const auto of_view = [&](const torch::Tensor& view) { return ensemble.probability_by_predictor(view); };
    labeled.maps.push_back(ensemble.combined(images.stitched(i, of_view)));
  }
  labeled.honest = !ensemble.learned();
  return labeled;
}

std::vector<torch::Tensor> colors_of(const LabeledMaps& labeled, const training::WholeImages& images) {
  std::vector<torch::Tensor> colors;
  for (const auto image : labeled.images)
    colors.push_back(images.colors(image));
  return colors;
}

std::vector<evaluation::ScoredImage> labeled_images(const LabeledMaps& labeled, const training::WholeImages& images,
                                                    const std::vector<std::string>& ids) {
  std::vector<evaluation::ScoredImage> scored;
  for (std::size_t i = 0; i < labeled.images.size(); ++i) {
    auto image = images.scored(labeled.images[i], labeled.maps[i]);
    if (!ids.empty()) image.id = ids[static_cast<std::size_t>(labeled.images[i])];
    scored.push_back(std::move(image));
  }
  return scored;
}

}  // namespace nbs::worker
