// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "nbs/evaluation/curve.h"
#include "nbs/record/scores.h"

namespace nbs::evaluation {

/// Counts of pixels at one threshold and what follows from them. A ratio without a denominator is 0.
struct Counts {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t false_negatives = 0;

  double precision() const;
  double recall() const;
  double f1() const;
  double iou() const;  ///< intersection over union of predicted and anomalous pixels
  Counts& operator+=(const Counts& other);
};

/// Counts of one image; a pixel is predicted anomalous if its probability is >= threshold.
Counts count(const ScoredImage& image, double threshold);

/// F1 of one image; an image without anomalous pixels has 1 if none is predicted and 0 otherwise.
double image_f1(const Counts& counts);

/// Scores at the given threshold; areas are empty where undefined. `seen_types`: kinds of defect among the labeled
/// images.
record::Scores score(const std::vector<ScoredImage>& images, double threshold,
                     const std::vector<std::string>& seen_types);

}  // namespace nbs::evaluation
