// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nbs/evaluation/scored_image.h"
#include "nbs/training/ensemble.h"
#include "nbs/training/whole_images.h"

namespace nbs::worker {

/// Probabilities of labeled images, whole, from which threshold and options are chosen.
struct LabeledMaps {
  std::vector<torch::Tensor> maps;   ///< M of [H, W]
  std::vector<std::int64_t> images;  ///< M labeled images of the data set that they are of, from 0
  /// Whether they were made by predictors that were not taught the image (CrossFit, Members), or that learn nothing.
  /// Other maps promise too much.
  bool honest = false;
  std::int64_t fully_taught = 1;  ///< Ensemble::fully_taught(), by which other images' maps are combined
};

/// Before the postprocessors: those of the folds, as far as there are any; but where none of these images shows an
/// anomaly, those of all predictors for all labeled images.
LabeledMaps labeled_maps(training::Ensemble& ensemble, const training::WholeImages& images);

/// The images, M of [3, H, W], that the maps are of.
std::vector<torch::Tensor> colors_of(const LabeledMaps& labeled, const training::WholeImages& images);

/// The labeled images with their masks and these probabilities; `ids`: of all images of the data set, if names are
/// wanted.
std::vector<evaluation::ScoredImage> labeled_images(const LabeledMaps& labeled, const training::WholeImages& images,
                                                    const std::vector<std::string>& ids = {});

}  // namespace nbs::worker
