// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>

#include "nbs/evaluation/scored_image.h"
#include "nbs/record/run_result.h"
#include "nbs/tensor.h"

namespace nbs::worker {

/// Images whose pictures are written.
struct PicturedImages {
  std::int64_t count = 0;
  std::int64_t pictures = 0;  ///< of all together
  std::function<evaluation::ScoredImage(std::int64_t)> image;
  std::function<torch::Tensor(std::int64_t)> colors;  ///< [3, H, W]
  double threshold = 0.5;
};

/// How many pictures there are of an image with or without a known truth.
constexpr std::int64_t pictures_of_image(bool has_truth) {
  return has_truth ? 5 : 4;
}

/// Writes image, mask, probability and overlay of each image below `folder`, and the truth where it is known. One that
/// cannot be written costs no other. Returns what is missing, if anything is.
std::optional<record::MissingPictures> write_predictions(const std::filesystem::path& folder,
                                                         const PicturedImages& images);

}  // namespace nbs::worker
