// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <unordered_map>
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
      : scene_(scene), origin_(origin), method_(method) {}

  std::int64_t image_count() const override { return scene_.image_count(); }
  std::int64_t image_size() const override { return scene_.image_size(); }
  std::int64_t patch_size() const override { return scene_.patch_size(); }
  bool labeled(std::int64_t image) const override { return scene_.labeled(image); }
  std::string image_id(std::int64_t image) const override { return scene_.image_id(image); }
  torch::Tensor image(std::int64_t image) const override {
    auto seen = scene_.image(image);
    wrote_images_ = note(images_, image, seen) || wrote_images_;
    return seen;
  }
  torch::Tensor mask(std::int64_t image) const override {
    auto seen = scene_.mask(image);
    wrote_masks_ = note(masks_, image, seen) || wrote_masks_;
    return seen;
  }
  // The host itself writes into the maps when it is asked for more of them.
  torch::Tensor loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                     std::int64_t width) override {
    const auto before = losses_.find(image);
    wrote_losses_ = wrote_losses_ || (before != losses_.end() && before->second.written());
    auto map = scene_.loss(image, y, x, height, width);
    note(losses_, image, map);
    return map;
  }

  /// Throws nbs::Error if something was written to.
  void require_unwritten() const {
    const auto any = [](const AllSeen& all) {
      return std::any_of(all.begin(), all.end(), [](const auto& seen) { return seen.second.written(); });
    };
    if (wrote_images_ || any(images_)) Watched::fail_written(origin_, method_, "an image of the scene");
    if (wrote_masks_ || any(masks_)) Watched::fail_written(origin_, method_, "a mask of the scene");
    if (wrote_losses_ || any(losses_)) Watched::fail_written(origin_, method_, "a loss map of the scene");
  }

 private:
  // The count of writes to a tensor, which outlives the tensor: it is not kept, as a sampler may look at many.
  struct Seen {
    c10::VariableVersion count;
    std::uint32_t writes = 0;

    bool written() const { return count.current_version() != writes; }
  };
  using AllSeen = std::unordered_map<std::int64_t, Seen>;

  // Takes the place of what was seen of the image before; whether that was written to. It is said at the end: an
  // exception at once would look like one of the sampler's.
  static bool note(AllSeen& all, std::int64_t image, const torch::Tensor& tensor) {
    const auto before = all.find(image);
    const bool written = before != all.end() && before->second.written();
    if (Watched::countable(tensor)) {
      all.insert_or_assign(image, Seen{tensor.unsafeGetTensorImpl()->version_counter(), Watched::writes_to(tensor)});
    }
    return written;
  }

  Scene& scene_;
  const Origin& origin_;
  const char* method_;
  mutable AllSeen images_;
  mutable AllSeen masks_;
  AllSeen losses_;
  mutable bool wrote_images_ = false;
  mutable bool wrote_masks_ = false;
  bool wrote_losses_ = false;
};

}  // namespace nbs::host
