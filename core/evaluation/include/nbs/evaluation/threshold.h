// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/evaluation/scored_image.h"

namespace nbs::evaluation {

/// The threshold of the best pooled F1 on labeled images; 0.5 if they show no anomalous pixel. With `slack` above 0
/// the lowest threshold whose F1 is at least 1 - slack times the best: a predictor is surer of the images that it has
/// learned from than of others, so that the best threshold there leaves out too much elsewhere.
double threshold_by_labeled_f1(const std::vector<ScoredImage>& labeled, double slack = 0);

/// The smallest threshold, to a millionth, at which no map of an anomaly-free image has a region of more than `area`
/// pixels (Bergmann et al. 2019); just above 1 if only that leaves them out. `maps`: [S, S] each.
double threshold_by_normal_area(const std::vector<std::vector<float>>& maps, std::int64_t size, std::int64_t area);

}  // namespace nbs::evaluation
