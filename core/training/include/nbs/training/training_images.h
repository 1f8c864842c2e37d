// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nbs/data/views.h"
#include "nbs/error.h"
#include "nbs/tensor.h"
#include "nbs/training/images.h"

namespace nbs::training {

/// All that training is given. Images are ordered: labeled, then unlabeled (to be scored), then auxiliary
/// (anomaly-free images kept apart by the data set). There is no place for a mask of an unlabeled image. With
/// data.resize = "tiles" an image of the data set is several images here, its views; WholeImages puts them together.
struct TrainingImages {
  Images images;                 ///< L + U + A of [3, S, S]
  torch::Tensor masks;           ///< [L, S, S], 0 or 1, of the labeled images
  std::int64_t labeled = 0;      ///< L
  std::int64_t unlabeled = 0;    ///< U
  std::int64_t held_out = 0;     ///< the last of the auxiliary images, not trained on: the threshold is chosen on them
  std::vector<std::string> ids;  ///< of all images, as the data set calls them; empty if it has no names
  /// Of the images of the data set, whose views these are, in their order; empty: each is an image of its own, whole.
  std::vector<data::ViewPlan> plans;

  /// Image `index` [3, S, S] in [0, 1], not to be written to.
  torch::Tensor image(std::int64_t index) const { return images[index]; }
  std::int64_t count() const { return images.count(); }
  std::int64_t size() const { return images.size(); }
  std::int64_t auxiliary() const { return count() - labeled - unlabeled; }
};

/// What is thrown if images or masks are not as they were read; `when`: "training".
Error images_changed(const std::string& when);

/// The same images, but some of the labeled ones (of the data set, from 0) as unlabeled ones without their masks: the
/// first of those. Pixels are shared with `images`.
TrainingImages without_masks_of(const std::vector<std::int64_t>& left_out, const TrainingImages& images);

}  // namespace nbs::training
