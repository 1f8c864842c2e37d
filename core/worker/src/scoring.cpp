// SPDX-License-Identifier: Apache-2.0
#include "scoring.h"

namespace nbs::worker {

evaluation::ScoredImage UnlabeledImages::at(std::int64_t image) const {
  auto scored = maps_.at(image);
  scored.id = truth_.id(image);
  scored.type = truth_.type(image);
  if (has_mask(image)) scored.mask = truth_.mask(image);
  return scored;
}

evaluation::Scorer scored(const UnlabeledImages& images, double threshold, const data::TrainingSet& set,
                          const std::filesystem::path& folder) {
  evaluation::Scorer scorer(threshold, set.seen_types, folder);
  for (std::int64_t i = 0; i < images.count(); ++i) {
    if (images.has_mask(i)) scorer.add(images.at(i));
  }
  return scorer;
}

}  // namespace nbs::worker
