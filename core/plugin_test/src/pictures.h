// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "nbs/sampler.h"
#include "nbs/tensor.h"

// What plugins are tried on: a surface with a bright spot. The same arguments give the same bits.

namespace nbs::plugin_test {

/// [n, 3, size, size] in [0, 1].
torch::Tensor made_images(std::int64_t n, std::int64_t size, std::uint64_t seed);
/// [n, size, size]: 1 where the spot is.
torch::Tensor made_masks(std::int64_t n, std::int64_t size);
/// [n, length, size, size]: positive, with a mean of about 1, larger where the spot is.
torch::Tensor made_profiles(std::int64_t n, std::int64_t length, std::int64_t size, std::uint64_t seed);
/// [n, size, size] in [0, 1], larger where the spot is; 0 and 1 are among them.
torch::Tensor made_probabilities(std::int64_t n, std::int64_t size, std::uint64_t seed);

/// A scene of made images whose loss maps change when they are told to.
class MadeScene : public Scene {
 public:
  /// The first `labeled` of `count` images are labeled.
  MadeScene(std::int64_t count, std::int64_t labeled, std::int64_t size, std::int64_t patch_size);

  /// Other loss maps, as after a step of the autoencoder.
  void set_round(std::int64_t round);
  /// From now on every look at losses calls this first.
  void before_loss(std::function<void()> call) { before_loss_ = std::move(call); }
  /// Whether a plugin has written into what it sees: the name of what, or null.
  const char* written() const;

  std::int64_t image_count() const override { return images_.size(0); }
  std::int64_t image_size() const override { return images_.size(2); }
  std::int64_t patch_size() const override { return patch_size_; }
  bool labeled(std::int64_t image) const override;
  torch::Tensor image(std::int64_t image) const override;
  torch::Tensor mask(std::int64_t image) const override;
  torch::Tensor loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                     std::int64_t width) override;

 private:
  std::int64_t checked(std::int64_t image) const;

  torch::Tensor images_;
  torch::Tensor masks_;
  std::int64_t labeled_;
  std::int64_t patch_size_;
  std::int64_t round_ = 0;
  std::vector<torch::Tensor> losses_;
  std::function<void()> before_loss_;
};

}  // namespace nbs::plugin_test
