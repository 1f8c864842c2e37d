// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/evaluation/scores.h"

namespace nbs::evaluation {

/// The counts, and precision, recall and F1 that follow from them.
inline void set_pixels(record::PixelScores& scores, const Counts& counts) {
  scores.precision = counts.precision();
  scores.recall = counts.recall();
  scores.f1 = counts.f1();
  scores.true_positives = counts.true_positives;
  scores.false_positives = counts.false_positives;
  scores.false_negatives = counts.false_negatives;
}

}  // namespace nbs::evaluation
