// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "nbs/data/stitched_map.h"
#include "nbs/data/views.h"
#include "nbs/postprocessor.h"

namespace nbs::worker {

/// A chain of postprocessors on an image of any size, whose probabilities come and go a band of rows at a time. An
/// image of at most 2048 x 2048 pixels is given to the chain whole. A larger one is given to it in blocks of 512 x 512,
/// which overlap by half and are stitched as views are: a dense CRF takes about a hundred bytes a pixel, and such an
/// image takes enough memory by itself.
class ChainedRows {
 public:
  using Chain = std::vector<std::shared_ptr<Postprocessor>>;
  /// The colors [3, height, width] of a window of the image.
  using Colors = std::function<torch::Tensor(std::int64_t y, std::int64_t x, std::int64_t height, std::int64_t width)>;

  ChainedRows(Chain chain, data::PixelSize size, Colors colors);
  ChainedRows(const ChainedRows&) = delete;
  ChainedRows& operator=(const ChainedRows&) = delete;

  /// Adds the next rows [n, W].
  void add(const torch::Tensor& rows);
  /// The rows behind the chain that are done and were not taken yet, in one plane.
  data::MapRows take();

 private:
  void apply_to_row_of_blocks();
  torch::Tensor applied(const data::View& block) const;

  Chain chain_;
  Colors colors_;
  data::ViewPlan blocks_;
  data::StitchedMap stitched_;
  torch::Tensor rows_;      // those that blocks still need
  std::int64_t first_ = 0;  // of them
  std::int64_t next_ = 0;   // row of blocks
};

/// The chain on the probabilities [H, W] of an image [3, H, W], as ChainedRows does it.
torch::Tensor postprocess(const ChainedRows::Chain& chain, const torch::Tensor& probability,
                          const torch::Tensor& image);
/// The same on several maps [N, H, W] of one image, which the chain may work on at the same time.
torch::Tensor postprocess_all(const ChainedRows::Chain& chain, const torch::Tensor& probabilities,
                              const torch::Tensor& image);

}  // namespace nbs::worker
