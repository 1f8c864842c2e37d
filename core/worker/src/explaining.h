// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "nbs/record/diagnostics.h"
#include "nbs/training/ensemble.h"
#include "nbs/training/whole_images.h"

#include "scoring.h"

namespace nbs::worker {

/// The profiles of the labeled images (without padding), as the kept checkpoint gives them. Nothing without an
/// autoencoder.
std::optional<record::LossProfile> labeled_profile(training::Ensemble& ensemble, const training::TrainingImages& images,
                                                   const training::WholeImages& whole);

/// The same of unlabeled images whose masks have been opened: all views, or 24 spread evenly over their order. Nothing
/// if no mask has been opened.
std::optional<record::LossProfile> scored_profile(training::Ensemble& ensemble, const training::TrainingImages& images,
                                                  const training::WholeImages& whole, const UnlabeledImages& unlabeled);

}  // namespace nbs::worker
