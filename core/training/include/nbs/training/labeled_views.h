// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/training/training_images.h"
#include "nbs/training/whole_images.h"

namespace nbs::training {

/// What predictors learn from: the labeled views, and what is known of each beside its pixels. The images must outlive
/// it.
class LabeledViews {
 public:
  explicit LabeledViews(const TrainingImages& images);

  const TrainingImages& images() const { return images_; }
  const WholeImages& whole() const { return whole_; }
  /// Whether the view shows an anomalous pixel that is no padding.
  bool shows_anomaly(std::int64_t view) const { return anomalous_pixels_[static_cast<std::size_t>(view)] > 0; }
  /// The pixels of a view that are no padding, and the anomalous ones among them.
  std::int64_t pixels(std::int64_t view) const;
  std::int64_t anomalous_pixels(std::int64_t view) const { return anomalous_pixels_[static_cast<std::size_t>(view)]; }

 private:
  const TrainingImages& images_;
  WholeImages whole_;
  std::vector<std::int64_t> anomalous_pixels_;
};

}  // namespace nbs::training
