// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nbs/evaluation/scored_image.h"

namespace nbs::evaluation {

/// F1 that forgives masks which are a little beside the truth, as the literature on cracks counts it: a predicted pixel
/// is correct if an anomalous one lies within `tolerance` pixels of it, and an anomalous pixel is found if a predicted
/// one lies within `tolerance` pixels of it. Distances are Euclidean, between centers of pixels of the same image.
/// Precision is the share of predicted pixels that are correct, recall that of anomalous pixels that are found, each
/// over all images together. 0 if nothing is correct or found. A pixel is predicted if its probability is >= threshold.
double f1_with_tolerance(const std::vector<ScoredImage>& images, double threshold, double tolerance);

}  // namespace nbs::evaluation
