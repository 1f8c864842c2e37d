// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/evaluation/scored_image.h"

namespace nbs::evaluation {

/// F1 that forgives masks which are a little beside the truth, as the literature on cracks counts it: a predicted pixel
/// is correct if an anomalous one lies within `tolerance` pixels of it, and an anomalous pixel is found if a predicted
/// one lies within `tolerance` pixels of it. Distances are Euclidean, between centers of pixels of the same image.
/// Precision is the share of predicted pixels that are correct, recall that of anomalous pixels that are found, each
/// over all images together. 0 if nothing is correct or found. A pixel is predicted if its probability is >= threshold.
class ToleranceF1 {
 public:
  ToleranceF1(double threshold, double tolerance) : threshold_(threshold), tolerance_(tolerance) {}

  void add(const ScoredImage& image);
  /// Of all images that were added.
  double value() const;

  /// Pixels of one set, and how many of them lie near the other set.
  struct NearPixels {
    std::int64_t near = 0;
    std::int64_t all = 0;

    double share() const { return all == 0 ? 0 : static_cast<double>(near) / static_cast<double>(all); }
  };

 private:
  double threshold_;
  double tolerance_;
  NearPixels correct_;
  NearPixels found_;
};

/// ToleranceF1 of these images.
double f1_with_tolerance(const std::vector<ScoredImage>& images, double threshold, double tolerance);

}  // namespace nbs::evaluation
