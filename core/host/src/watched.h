// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "nbs/tensor.h"

#include "guard.h"

namespace nbs::host {

/// Tensors that were given to a plugin to read. LibTorch counts the writes to each (also through its views), so that
/// looking costs next to nothing. What a plugin writes through a plain pointer is not counted.
class Watched {
 public:
  /// `what`: as a message says it.
  void add(const char* what, const torch::Tensor& tensor) {
    if (countable(tensor)) given_.push_back({what, tensor, writes_to(tensor)});
  }

  /// Throws nbs::Error if one was written to since it was added.
  void require_unwritten(const Origin& origin, const char* method) const {
    for (const auto& given : given_) {
      if (writes_to(given.tensor) != given.writes) fail_written(origin, method, given.what);
    }
  }

  [[noreturn]] static void fail_written(const Origin& origin, const char* method, const std::string& what) {
    breach(origin, method,
           "wrote into " + what +
               ", which it is only given to read, so that others see what it has made of it; write "
               "into a copy (clone())");
  }

  static bool countable(const torch::Tensor& tensor) { return tensor.defined() && !tensor.is_inference(); }
  static std::uint32_t writes_to(const torch::Tensor& tensor) {
    return tensor.unsafeGetTensorImpl()->version_counter().current_version();
  }

 private:
  struct Given {
    const char* what;
    torch::Tensor tensor;
    std::uint32_t writes;
  };
  std::vector<Given> given_;
};

/// A scene that notices when a sampler writes into what it sees.
class WatchedScene : public Scene {
 public:
  WatchedScene(Scene& scene, const Origin& origin, const char* method)
      : scene_(scene),
        origin_(origin),
        method_(method),
        images_(static_cast<std::size_t>(scene.image_count())),
        masks_(images_.size()),
        losses_(images_.size()) {}

  std::int64_t image_count() const override { return scene_.image_count(); }
  std::int64_t image_size() const override { return scene_.image_size(); }
  std::int64_t patch_size() const override { return scene_.patch_size(); }
  bool labeled(std::int64_t image) const override { return scene_.labeled(image); }
  std::string image_id(std::int64_t image) const override { return scene_.image_id(image); }
  torch::Tensor image(std::int64_t image) const override {
    auto seen = scene_.image(image);
    note_first(images_, image, seen);
    return seen;
  }
  torch::Tensor mask(std::int64_t image) const override {
    auto seen = scene_.mask(image);
    note_first(masks_, image, seen);
    return seen;
  }
  // The host itself writes into the maps when it is asked for more of them.
  torch::Tensor loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                     std::int64_t width) override {
    const auto at = static_cast<std::size_t>(image);
    // Said at the end: an exception here would look like one of the sampler's.
    wrote_losses_ = wrote_losses_ || (at < losses_.size() && written(losses_[at]));
    auto map = scene_.loss(image, y, x, height, width);
    if (Watched::countable(map)) losses_.at(at) = {map, Watched::writes_to(map)};
    return map;
  }

  /// Throws nbs::Error if something was written to.
  void require_unwritten() const {
    const auto any = [](const std::vector<Seen>& all) { return std::any_of(all.begin(), all.end(), written); };
    if (any(images_)) Watched::fail_written(origin_, method_, "an image of the scene");
    if (any(masks_)) Watched::fail_written(origin_, method_, "a mask of the scene");
    if (wrote_losses_ || any(losses_)) Watched::fail_written(origin_, method_, "a loss map of the scene");
  }

 private:
  struct Seen {
    torch::Tensor tensor;
    std::uint32_t writes = 0;
  };

  static void note_first(std::vector<Seen>& all, std::int64_t image, const torch::Tensor& tensor) {
    auto& seen = all.at(static_cast<std::size_t>(image));
    if (!seen.tensor.defined() && Watched::countable(tensor)) seen = {tensor, Watched::writes_to(tensor)};
  }
  static bool written(const Seen& seen) {
    return seen.tensor.defined() && Watched::writes_to(seen.tensor) != seen.writes;
  }

  Scene& scene_;
  const Origin& origin_;
  const char* method_;
  mutable std::vector<Seen> images_;
  mutable std::vector<Seen> masks_;
  std::vector<Seen> losses_;
  bool wrote_losses_ = false;
};

}  // namespace nbs::host
