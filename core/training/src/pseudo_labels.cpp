// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/pseudo_labels.h"

#include <algorithm>

#include "nbs/evaluation/threshold.h"

namespace nbs::training {

namespace {

double taught_threshold(Inference& teachers, std::int64_t predictor, const WholeImages& images) {
  const auto& left_out = teachers.left_out(predictor);
  std::vector<evaluation::ScoredImage> taught;
  for (std::int64_t i = 0; i < images.labeled(); ++i) {
    if (std::find(left_out.begin(), left_out.end(), i) != left_out.end()) continue;
    const auto of_view = [&](const torch::Tensor& view) {
      return teachers.probability_by(predictor, view).unsqueeze(0);
    };
    taught.push_back(images.scored(i, images.stitched(i, of_view)[0]));
  }
  return evaluation::threshold_by_f1(taught).threshold;
}

}  // namespace

std::vector<PseudoLabels> pseudo_labels(Inference& teachers, const TrainingImages& images,
                                        const std::vector<std::int64_t>& unlabeled) {
  const WholeImages whole(images);
  const auto size = images.size();
  std::vector<PseudoLabels> all;
  for (std::int64_t predictor = 0; predictor < teachers.predictors(); ++predictor) {
    auto not_taught = teachers.left_out(predictor);
    not_taught.insert(not_taught.end(), unlabeled.begin(), unlabeled.end());
    auto& labels = all.emplace_back();
    labels.views = whole.views_of(not_taught);
    labels.masks = torch::empty({static_cast<std::int64_t>(labels.views.size()), size, size}, torch::kUInt8);
    const double threshold = taught_threshold(teachers, predictor, whole);
    for (std::size_t i = 0; i < labels.views.size(); ++i) {
      const auto probability = teachers.probability_by(predictor, images.image(labels.views[i]));
      auto mask = labels.masks[static_cast<std::int64_t>(i)];
      mask.copy_(probability >= threshold);
      labels.anomalous_pixels.push_back(whole.without_padding(mask, labels.views[i]).sum().item<std::int64_t>());
    }
  }
  return all;
}

}  // namespace nbs::training
