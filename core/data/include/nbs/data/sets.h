// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nbs/data/image_store.h"
#include "nbs/data/split.h"
#include "nbs/data/views.h"

// The wall between training and the masks of unlabeled images: a TrainingSet holds no such mask and no path to one.

namespace nbs::data {

/// Everything that training may see. Images are ordered: labeled, unlabeled, auxiliary.
struct TrainingSet {
  std::int64_t size = 0;                     ///< S
  std::int64_t labeled = 0;                  ///< L
  std::int64_t unlabeled = 0;                ///< U
  std::int64_t auxiliary = 0;                ///< A
  std::shared_ptr<const ImageStore> images;  ///< views of the samples, in their order, then of the auxiliary ones
  std::vector<std::int64_t> places;          ///< where each view of the L + U + A images, in their order, lies there
  std::vector<ViewPlan> plans;               ///< of the L + U + A images; empty if each is one view without padding
  std::vector<float> masks;                  ///< [views of the labeled images, S, S], 0 or 1
  std::vector<std::string> ids;              ///< of all images, in their order
  std::vector<std::string> seen_types;       ///< kinds of defect among the labeled images, sorted, without "good"
};

/// Reads and resizes all images (read_images()) and the masks of labeled ones.
TrainingSet load_training_set(const Listing& listing, const Split& split, const DataOptions& options,
                              const Reading& reading = {});

/// What scoring needs of the unlabeled images: made apart from training, opens a mask when asked.
class ScoringSet {
 public:
  ScoringSet(const Listing& listing, const Split& split, DataOptions options);
  std::int64_t count() const { return static_cast<std::int64_t>(samples_.size()); }
  const std::string& id(std::int64_t index) const { return samples_[index].id; }
  const std::string& type(std::int64_t index) const { return samples_[index].type; }
  /// Whether there is a mask to score with.
  bool has_mask(std::int64_t index) const { return samples_[index].mask_source != MaskSource::none; }
  /// [H, W], 0 or 1: at the size of the image's ViewPlan.
  std::vector<std::uint8_t> mask(std::int64_t index) const;

 private:
  std::vector<Sample> samples_;
  DataOptions options_;
};

}  // namespace nbs::data
