// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "nbs/evaluation/scored_image.h"

// The metrics from their definitions, by trying every pair or every threshold; slow, for small maps.
namespace nbs::test {

using Images = std::vector<evaluation::ScoredImage>;

struct Size {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

/// Small random maps with few distinct probabilities, so that there are many ties. `share`: of anomalous pixels.
Images random_images(unsigned seed, int count, Size size, int levels, double share);

/// The chance that an anomalous pixel has a higher probability than a normal one; equal counts half.
double pairs_auroc(const Images& images);

/// Sum over thresholds of precision times the step in recall.
double thresholds_average_precision(const Images& images);

/// The highest F1 over all thresholds.
double thresholds_best_f1(const Images& images);

/// Precision (1 if nothing is predicted), recall and false positives of all pixels together at one threshold.
struct AtThreshold {
  double precision = 1;
  double recall = 0;
  double false_positives = 0;
};
AtThreshold pooled_at(const Images& images, double threshold);

/// Every probability that occurs, highest first.
std::set<double, std::greater<>> thresholds(const Images& images);

/// F1 of all pixels together at one threshold.
double pooled_f1(const Images& images, double threshold);

/// Predicted and anomalous pixels over those that are either, all images together.
double pooled_iou(const Images& images, double threshold);

/// F1 in which a pixel is right if one of the other kind in its image is no more than `tolerance` away.
double pairs_f1_with_tolerance(const Images& images, double threshold, double tolerance);

/// Mean share found of the anomalous regions against the false positive rate, over [0, limit], divided by limit.
double thresholds_aupro(const Images& images, double limit);

/// Regions of pixels that are not zero, joined across edges and corners, by flood filling: each a list of indices.
std::vector<std::vector<std::size_t>> regions(const std::vector<std::uint8_t>& mask, Size size);

}  // namespace nbs::test
