// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/base/random.h"
#include "nbs/config/sections.h"
#include "nbs/data/options.h"
#include "nbs/predictor.h"
#include "nbs/training/buffer.h"
#include "nbs/training/labeled_views.h"
#include "nbs/training/pseudo_labels.h"

namespace nbs::training {

/// A minibatch of the predictor: what it sees and what is true.
struct Minibatch {
  PredictorInput input;
  torch::Tensor masks;    ///< [B, H, W]
  torch::Tensor counted;  ///< [B, H, W], 0 where a pixel is padding and 1 elsewhere; undefined if none is
};

/// One of the eight flips and quarter turns of the last two dimensions; `index` 0 … 7, 0 leaves all as it is.
torch::Tensor dihedral(const torch::Tensor& planes, std::int64_t index);
/// Undoes it.
torch::Tensor dihedral_back(const torch::Tensor& planes, std::int64_t index);

/// Crops of profiles drawn from those given, of which there must be one, augmented in profile space (`buffer`); with
/// the image's crop, augmented in color (`augment`), if `with_image`.
Minibatch draw_profiles(const std::vector<const BufferedProfile*>& profiles, const LabeledViews& labeled,
                        const config::ProfileOptions& profile, const config::BufferOptions& buffer,
                        const data::AugmentOptions& augment, bool with_image, Random& random);

/// Crops of the labeled views `among`, augmented in image space together with their masks: for predictors that see no
/// profile. With `pseudo`, which may be null, buffer.pseudo_labeled of them are of its views.
Minibatch draw_images(const std::vector<std::int64_t>& among, const LabeledViews& labeled, const PseudoLabels* pseudo,
                      const config::BufferOptions& buffer, const data::AugmentOptions& augment, Random& random);

/// Augments patches [B, 3, p, p] in place of D' (Algorithm 1): flips, quarter turns and color, patch by patch. A patch
/// of an image so transformed is the transformed patch of the image.
torch::Tensor augment_patches(const torch::Tensor& patches, const data::AugmentOptions& augment, Random& random);

}  // namespace nbs::training
