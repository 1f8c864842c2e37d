// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "nbs/base/spill_file.h"
#include "nbs/data/views.h"
#include "nbs/evaluation/scored_image.h"
#include "nbs/tensor.h"

namespace nbs::worker {

/// The probabilities of any number of images, in a temporary file: memory does not grow with their number.
class MapStore {
 public:
  explicit MapStore(const std::filesystem::path& folder) : file_(folder) {}

  std::int64_t count() const { return static_cast<std::int64_t>(places_.size()); }
  /// Adds the map [H, W] of the next image. Throws nbs::Error if it cannot be written.
  void add(const torch::Tensor& map);
  /// An image with its map and nothing else. Throws nbs::Error if it cannot be read.
  evaluation::ScoredImage at(std::int64_t image) const;

 private:
  struct Place {
    std::uint64_t offset = 0;
    data::PixelSize size;
  };

  SpillFile file_;
  std::vector<Place> places_;
};

}  // namespace nbs::worker
