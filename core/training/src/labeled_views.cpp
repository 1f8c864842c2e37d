// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/labeled_views.h"

#include "nbs/tensor.h"

namespace nbs::training {

LabeledViews::LabeledViews(const TrainingImages& images) : images_(images), whole_(images) {
  for (std::int64_t view = 0; view < images.labeled; ++view) {
    const auto mask = whole_.without_padding(images.masks[view], view);
    anomalous_pixels_.push_back(mask.to(torch::kBool).sum().item<std::int64_t>());
  }
}

std::int64_t LabeledViews::pixels(std::int64_t view) const {
  const auto part = whole_.part(view);
  return part.height * part.width;
}

}  // namespace nbs::training
