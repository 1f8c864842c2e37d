// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/tensor.h"
#include "nbs/training/inference.h"
#include "nbs/training/whole_images.h"

namespace nbs::training {

/// Masks that a predictor, the teacher, made of views that it was not taught. Another one, its student, learns from
/// them as if they were true (pseudo-labels, Lee 2013).
struct PseudoLabels {
  std::vector<std::int64_t> views;             ///< of TrainingImages
  torch::Tensor masks;                         ///< [V, S, S], 0 or 1, bytes
  std::vector<std::int64_t> anomalous_pixels;  ///< of each view, without padding
};

/// The pseudo-labels of each of a model's predictors, that of all labeled images first. Each makes masks of the
/// `unlabeled` images of the data set, and a fold's also of the labeled images that it leaves out: so its student knows
/// of these what the run's own student knows of unlabeled ones. A pixel is anomalous from that threshold on which
/// evaluation::threshold_by_f1() gives for the labeled images that the predictor was taught, as no other mask may be
/// looked at. The predictors must need no profile.
std::vector<PseudoLabels> pseudo_labels(Inference& teachers, const TrainingImages& images,
                                        const std::vector<std::int64_t>& unlabeled);

}  // namespace nbs::training
