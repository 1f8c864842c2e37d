// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include <opencv2/core/mat.hpp>

#include "nbs/data/sets.h"
#include "nbs/training/training_images.h"

namespace nbs::worker {

/// The training set as tensors, which share its memory; it must outlive them.
training::TrainingImages as_tensors(data::TrainingSet& set);

/// [3, H, W] from CV_32FC3 RGB.
torch::Tensor as_tensor(const cv::Mat& image);
/// CV_32F from [H, W].
cv::Mat as_mat(const torch::Tensor& map);
/// The values of a map [S, S].
std::vector<float> values_of(const torch::Tensor& map);

}  // namespace nbs::worker
