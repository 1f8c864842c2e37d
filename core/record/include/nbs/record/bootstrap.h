// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

#include "nbs/record/scores.h"

namespace nbs::record {

// How much a number that was counted over a few images says of many others.
//
// F1 is that of all pixels together, and among five images one large anomaly would outweigh all the rest, as it would
// not among a hundred. So each image's pixels are weighted by one over the root of its anomalous area: halfway between
// pixels that count alike and images that count alike. docs/experiments.md compares the weightings.
//
// Intervals come from the bootstrap (Efron 1979): the images are drawn anew, with repetition, 2,000 times from a fixed
// seed. Nine of ten resamples lie between two ends. Resamples of n images spread too little (Hesterberg 2015, "What
// teachers should know about the bootstrap"), so both ends are moved away from the estimate: by the root of n / (n -
// 1), and by the ratio of Student's t with n - 1 degrees of freedom to the normal distribution.

struct Interval {
  double low = 0;
  double high = 0;
};

/// Weights of images in the order given: one over the root of the anomalous pixels; where there are none, the mean of
/// the other weights. All 1 if no image shows an anomaly. Counts must be known.
std::vector<double> image_weights(const std::vector<ImageScore>& images);

/// Precision, recall and F1 of the weighted pixels of all images together, and their plain counts. Counts must be
/// known.
PixelScores weighted_scores(const std::vector<ImageScore>& images);

/// Whether a pipeline that expects `a` is better than one that expects `b`, which looked at the same labeled images:
/// the F1 to expect of the images that are to be masked is higher, or, where that is the same, the weighted F1 of the
/// labeled ones, which alone chose worse on the kept runs (docs/experiments.md, "Which method?"). A missing F1 counts
/// as 0.
bool expects_more(const ExpectedScores& a, const ExpectedScores& b);

/// Of what `value_of` says of images that are drawn by their numbers, 0 to `images` - 1; within `lowest` and 1. A draw
/// that says nothing is left out. Nothing if all images, each once, say nothing. With a single image both ends are what
/// it says.
std::optional<Interval> resampled_interval(
    std::size_t images, double lowest,
    const std::function<std::optional<double>(const std::vector<std::size_t>& drawn)>& value_of);

/// Of the F1 of weighted_scores(), within 0 and 1. Nothing if no image shows an anomaly, or if their counts are not
/// known. With a single image both ends are its F1.
std::optional<Interval> f1_interval(const std::vector<ImageScore>& images);

/// Of the F1 of `a` less that of `b`, on the same images in the same order: both are drawn together, so that an image
/// which is hard for both does not make the difference uncertain; within -1 and 1. Nothing if the images differ, or as
/// above.
std::optional<Interval> f1_difference(const std::vector<ImageScore>& a, const std::vector<ImageScore>& b);

/// Of the mean of paired differences, each between -1 and 1 (of F1, one for each split); within -1 and 1. Nothing for
/// fewer than two: a single one says nothing of others.
std::optional<Interval> mean_interval(const std::vector<double>& differences);

}  // namespace nbs::record
