// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "nbs/tensor.h"

namespace nbs::data {
class ImageStore;
}

namespace nbs::training {

/// Images that become tensors when they are asked for: float32 [3, S, S] in [0, 1], contiguous, CPU. Those asked for
/// last, 64 MiB of them and at least one, are kept: whoever asks twice gets the same tensor, which must not be written
/// to. Several threads may ask. Copies of the object share what is kept.
class Images {
 public:
  Images();
  /// Of a store: image i is the one at places[i].
  Images(std::shared_ptr<const data::ImageStore> store, std::vector<std::int64_t> places);
  /// Of a tensor [N, 3, S, S], contiguous: image i is a view of it.
  Images(torch::Tensor whole);  // NOLINT(google-explicit-constructor): a tensor of images is nothing else

  /// The same images in another order: image i is the one at order[i].
  Images reordered(const std::vector<std::int64_t>& order) const;

  std::int64_t count() const;
  std::int64_t size() const;  ///< S
  torch::Tensor operator[](std::int64_t image) const;
  /// Copies the window [3, side, side] at (y, x) of an image; the image as it was read, whatever was written into the
  /// tensors that were handed out.
  void copy_window(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t side, float* to) const;
  /// False if somebody has written into a tensor while it was kept.
  bool unwritten() const;

 private:
  class Kept;

  std::shared_ptr<const data::ImageStore> store_;
  std::vector<std::int64_t> places_;
  std::shared_ptr<Kept> kept_;
  torch::Tensor whole_;
};

}  // namespace nbs::training
