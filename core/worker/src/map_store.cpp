// SPDX-License-Identifier: Apache-2.0
#include "map_store.h"

#include "nbs/tensor.h"

namespace nbs::worker {

void MapStore::add(const torch::Tensor& map) {
  const auto whole = map.contiguous();
  places_.push_back({file_.length(), {map.size(0), map.size(1)}});
  file_.append(whole.data_ptr<float>(), whole.nbytes());
}

evaluation::ScoredImage MapStore::at(std::int64_t image) const {
  const auto& place = places_[static_cast<std::size_t>(image)];
  evaluation::ScoredImage scored;
  scored.height = place.size.height;
  scored.width = place.size.width;
  scored.probability.resize(static_cast<std::size_t>(scored.height * scored.width));
  file_.read_at(place.offset, scored.probability.data(), scored.probability.size() * sizeof(float));
  return scored;
}

}  // namespace nbs::worker
