// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nbs/error.h"
#include "nbs/sampler.h"
#include "nbs/torch_compat.h"

namespace nbs::rl {

/// A scene of given images and loss maps, none of them labeled.
class TestScene : public Scene {
 public:
  TestScene(torch::Tensor images, torch::Tensor losses, std::int64_t patch_size)
      : images_(std::move(images)), losses_(std::move(losses)), patch_size_(patch_size) {}

  /// Random images and losses.
  static TestScene random(std::int64_t count, std::int64_t size, std::int64_t patch_size, std::uint64_t seed) {
    auto generator = make_generator(seed);
    const auto images = torch::rand({count, 3, size, size}, generator);
    return {images, torch::rand({count, size, size}, generator), patch_size};
  }

  std::int64_t image_count() const override { return images_.size(0); }
  std::int64_t image_size() const override { return images_.size(2); }
  std::int64_t patch_size() const override { return patch_size_; }
  bool labeled(std::int64_t) const override { return false; }
  torch::Tensor image(std::int64_t image) const override { return images_[image]; }
  torch::Tensor mask(std::int64_t) const override { throw Error("no image is labeled"); }
  torch::Tensor loss(std::int64_t image, std::int64_t, std::int64_t, std::int64_t, std::int64_t) override {
    return losses_[image];
  }

 private:
  torch::Tensor images_;
  torch::Tensor losses_;
  std::int64_t patch_size_;
};

}  // namespace nbs::rl
