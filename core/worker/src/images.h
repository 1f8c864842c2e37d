// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include <opencv2/core/mat.hpp>

#include "nbs/data/sets.h"
#include "nbs/training/training_images.h"

namespace nbs::worker {

/// The training set as training sees it; the masks share its memory, so it must outlive them. Every view is an image of
/// its own, named after its image; plans say which belong together.
training::TrainingImages as_tensors(data::TrainingSet& set);
/// How many views the last `count` images have.
std::int64_t views_of_held_out(const data::TrainingSet& set, std::int64_t count);

/// A number that changes with any bit of the masks, but for changes that cancel out.
std::int64_t checksum_of_masks(const training::TrainingImages& images);
/// Throws nbs::Error if a plugin has written into an image, or the masks are not those that had this checksum. `when`:
/// what it happened in, as a message says it.
void require_unchanged(const training::TrainingImages& images, std::int64_t masks, const char* when);

/// [3, H, W] from CV_32FC3 RGB.
torch::Tensor as_tensor(const cv::Mat& image);
/// CV_32F from [H, W].
cv::Mat as_mat(const torch::Tensor& map);
/// The values of a map [H, W].
std::vector<float> values_of(const torch::Tensor& map);

}  // namespace nbs::worker
