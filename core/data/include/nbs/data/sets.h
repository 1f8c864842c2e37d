// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nbs/data/image_store.h"
#include "nbs/data/split.h"

// The wall between training and the masks of unlabeled images: a TrainingSet holds no such mask and no path to one.

namespace nbs::data {

/// Everything that training may see. Images are ordered: labeled, unlabeled, auxiliary.
struct TrainingSet {
  std::int64_t size = 0;                     ///< S
  std::int64_t labeled = 0;                  ///< L
  std::int64_t unlabeled = 0;                ///< U
  std::int64_t auxiliary = 0;                ///< A
  std::shared_ptr<const ImageStore> images;  ///< of the samples, in their order, then the auxiliary ones
  std::vector<std::int64_t> places;          ///< where each of the L + U + A images lies among them
  std::vector<float> masks;                  ///< [L, S, S], 0 or 1
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
  /// [S, S], 0 or 1.
  std::vector<std::uint8_t> mask(std::int64_t index) const;

 private:
  std::vector<Sample> samples_;
  DataOptions options_;
};

}  // namespace nbs::data
