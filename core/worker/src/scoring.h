// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "nbs/data/sets.h"
#include "nbs/evaluation/scored_image.h"
#include "nbs/evaluation/scores.h"

#include "map_store.h"

namespace nbs::worker {

/// The unlabeled images with what was predicted of them, and with their masks if they may be opened; each is read when
/// it is asked for. The first to be asked for opens the first mask of an unlabeled image; nothing before it does.
class UnlabeledImages {
 public:
  /// Both must outlive it.
  UnlabeledImages(const MapStore& maps, const data::ScoringSet& truth, bool open_masks)
      : maps_(maps), truth_(truth), open_masks_(open_masks) {}

  std::int64_t count() const { return truth_.count(); }
  bool has_mask(std::int64_t image) const { return open_masks_ && truth_.has_mask(image); }
  /// Throws nbs::Error if the mask cannot be read.
  evaluation::ScoredImage at(std::int64_t image) const;
  std::vector<std::uint8_t> mask(std::int64_t image) const { return truth_.mask(image); }

 private:
  const MapStore& maps_;
  const data::ScoringSet& truth_;
  bool open_masks_;
};

/// Scores those that have masks; none may have one.
evaluation::Scorer scored(const UnlabeledImages& images, double threshold, const data::TrainingSet& set,
                          const std::filesystem::path& folder);

}  // namespace nbs::worker
