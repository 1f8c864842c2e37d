// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "nbs/error.h"
#include "nbs/plugin.h"

// What the test of a plugin needs in place of the host: a context, a scene, Eq. 2. Not tied to a test framework;
// "nbs/doctest.h" is doctest as it works beside LibTorch.

namespace nbs::testing {

/// The sizes of a small run: S = 64, p = 16, T = 3, one thread; on the CPU, or on the device that the environment's
/// NBS_TEST_DEVICE names ("cuda").
inline Context::Facts small_facts(std::uint64_t seed = 0) {
  Context::Facts facts;
  facts.seed = seed;
  facts.image_size = 64;
  facts.patch_size = 16;
  facts.profile_length = 3;
  if (const char* device = std::getenv("NBS_TEST_DEVICE")) facts.device = torch::Device(device);
  return facts;
}

/// A component with a context of its own, made as the host makes it: check() first, if the plugin has one. Throws what
/// they throw.
template <typename Plugin>
class Owned {
 public:
  /// The component is made anew from `options` and `facts`.
  explicit Owned(const typename Plugin::Options& options = {}, const Context::Facts& facts = small_facts())
      : context_(facts, [this](const std::string& line) { log_.push_back(line); }),
        component_(checked(options, facts), context_) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  /// The component.
  Plugin* operator->() { return &component_; }
  /// The component.
  Plugin& operator*() { return component_; }
  /// Its context, the random generator included.
  Context& context() { return context_; }
  /// The lines that it has logged so far.
  const std::vector<std::string>& log() const { return log_; }

 private:
  static const typename Plugin::Options& checked(const typename Plugin::Options& options, const Context::Facts& facts) {
    if constexpr (detail::HasCheck<Plugin>::value) Plugin::check(options, facts);
    return options;
  }

  std::vector<std::string> log_;
  Context context_;
  Plugin component_;
};

/// What a component saves.
inline State saved(const Component& component) {
  State state;
  component.save(state);
  return state;
}

/// Loads as the host does: all of `state` must be read. Throws nbs::Error otherwise.
inline void restore(Component& component, const State& state) {
  component.load(state);
  state.require_all_read();
}

/// Eq. 2 without weights: the mean cross entropy of logits and masks of one shape.
inline torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& masks) {
  return torch::binary_cross_entropy_with_logits(logits, masks);
}

/// Whether a rollout is what the host accepts: `count` patches, all inside images of the scene.
inline bool is_valid(const Rollout& rollout, const Scene& scene, std::int64_t count) {
  const auto last = scene.image_size() - scene.patch_size();
  for (const auto& patch : rollout.patches) {
    if (patch.image < 0 || patch.image >= scene.image_count()) return false;
    if (patch.y < 0 || patch.x < 0 || patch.y > last || patch.x > last) return false;
  }
  return static_cast<std::int64_t>(rollout.patches.size()) == count;
}

/// A scene without data and without an autoencoder. Each image is a smooth surface with noise and one bright square,
/// its anomaly, whose loss is 1; elsewhere the loss is below 0.1. The same settings give the same scene.
class FakeScene : public Scene {
 public:
  /// What it is made of.
  struct Settings {
    std::int64_t images = 4;       ///< at least 1
    std::int64_t labeled = 2;      ///< the first ones, whose masks may be asked for
    std::int64_t image_size = 64;  ///< S
    std::int64_t patch_size = 16;  ///< p
    std::uint64_t seed = 0;        ///< of the pixels, the places of the anomalies and the losses
  };

  /// Throws nbs::Error for sizes that are no scene: less than one image, more labeled ones than images, patches that
  /// are empty or larger than the images.
  explicit FakeScene(const Settings& settings) : settings_(settings) {
    if (settings.images < 1 || settings.labeled < 0 || settings.labeled > settings.images || settings.patch_size < 1 ||
        settings.patch_size > settings.image_size) {
      throw Error("a fake scene has one image or more, not more labeled ones than images, and patches that fit in");
    }
    auto generator = make_generator(settings.seed);
    for (std::int64_t i = 0; i < settings.images; ++i)
      images_.push_back(make_image(generator));
    for (const auto& image : images_)
      originals_.push_back({image.pixels.clone(), image.mask.clone(), image.loss.clone()});
  }
  FakeScene() : FakeScene(Settings()) {}

  std::int64_t image_count() const override { return settings_.images; }
  std::int64_t image_size() const override { return settings_.image_size; }
  std::int64_t patch_size() const override { return settings_.patch_size; }
  bool labeled(std::int64_t image) const override { return require_image(image) < settings_.labeled; }
  std::string image_id(std::int64_t image) const override { return "fake/" + std::to_string(require_image(image)); }
  torch::Tensor image(std::int64_t image) const override { return at(image).pixels; }
  torch::Tensor mask(std::int64_t image) const override {
    if (!labeled(image)) throw Error("the mask of image " + std::to_string(image) + ", which is not labeled");
    return at(image).mask;
  }
  torch::Tensor loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                     std::int64_t width) override {
    const auto cut = [this](std::int64_t place) {
      return place < 0 ? 0 : place > settings_.image_size ? settings_.image_size : place;
    };
    loss_pixels_ += (cut(y + height) - cut(y)) * (cut(x + width) - cut(x));
    return at(image).loss;
  }

  /// Gives an image another loss map, a copy of `map`, [S, S]. Throws nbs::Error for another shape or type.
  void set_loss(std::int64_t image, const torch::Tensor& map) {
    if (map.dim() != 2 || map.size(0) != settings_.image_size || map.size(1) != settings_.image_size ||
        map.scalar_type() != torch::kFloat32) {
      throw Error("the loss map of a fake scene is float32, [S, S]");
    }
    const auto index = static_cast<std::size_t>(require_image(image));
    images_[index].loss = map.clone(torch::MemoryFormat::Contiguous);
    originals_[index].loss = map.clone(torch::MemoryFormat::Contiguous);
  }

  /// The mask of any image, labeled or not: for the test, not for the sampler.
  torch::Tensor true_mask(std::int64_t image) const {
    return originals_[static_cast<std::size_t>(require_image(image))].mask;
  }
  /// For how many pixels losses were asked for: what evaluating them would cost a run.
  std::int64_t loss_pixels() const { return loss_pixels_; }
  /// Whether nobody has written to what the scene gives out. The host ends a run in which somebody has.
  bool untouched() const {
    for (std::size_t i = 0; i < images_.size(); ++i) {
      if (!torch::equal(images_[i].pixels, originals_[i].pixels) ||
          !torch::equal(images_[i].mask, originals_[i].mask) || !torch::equal(images_[i].loss, originals_[i].loss)) {
        return false;
      }
    }
    return true;
  }

 private:
  struct Image {
    torch::Tensor pixels;  // [3, S, S]
    torch::Tensor mask;    // [S, S]
    torch::Tensor loss;    // [S, S]
  };

  Image make_image(at::Generator& generator) const {
    const auto size = settings_.image_size;
    const auto side = size / 4 > 0 ? size / 4 : 1;
    const auto corner = torch::randint(size - side + 1, {2}, generator, torch::kInt64);
    const auto y = corner[0].item<std::int64_t>();
    const auto x = corner[1].item<std::int64_t>();
    const auto square = [&](const torch::Tensor& map) { return map.slice(-2, y, y + side).slice(-1, x, x + side); };
    Image image;
    const auto slope = torch::linspace(0.2, 0.5, size).expand({3, size, size});
    image.pixels = (slope + 0.1 * torch::rand({3, size, size}, generator)).contiguous();
    square(image.pixels).fill_(0.9);
    image.mask = torch::zeros({size, size});
    square(image.mask).fill_(1);
    image.loss = 0.1 * torch::rand({size, size}, generator);
    square(image.loss).fill_(1);
    return image;
  }

  std::int64_t require_image(std::int64_t image) const {
    if (image >= 0 && image < settings_.images) return image;
    throw Error("image " + std::to_string(image) + " was asked for, but the scene has images 0 to " +
                std::to_string(settings_.images - 1));
  }
  const Image& at(std::int64_t image) const { return images_[static_cast<std::size_t>(require_image(image))]; }

  Settings settings_;
  std::vector<Image> images_;
  std::vector<Image> originals_;  // as they were made
  std::int64_t loss_pixels_ = 0;
};

}  // namespace nbs::testing
