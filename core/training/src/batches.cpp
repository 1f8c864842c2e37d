// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/batches.h"

#include <algorithm>
#include <cmath>

#include "nbs/data/augment.h"

namespace nbs::training {

namespace {

struct Window {
  std::int64_t y = 0;
  std::int64_t x = 0;
  std::int64_t side = 0;
  torch::Tensor of(const torch::Tensor& planes) const { return planes.slice(-2, y, y + side).slice(-1, x, x + side); }
};

Window draw_window(std::int64_t size, std::int64_t crop, Random& random) {
  Window window;
  window.side = crop == 0 ? size : std::min(crop, size);
  window.y = random.below(size - window.side + 1);
  window.x = random.below(size - window.side + 1);
  return window;
}

// A transposition (bit 2) belongs to the quarter turns, mirror images (bits 0 and 1) to the flips; with turns alone
// only the four rotations are drawn: nothing, both mirrors, and a transposition with one mirror.
std::int64_t draw_turn(const data::AugmentOptions& augment, Random& random) {
  static constexpr std::int64_t kRotations[] = {0, 5, 3, 6};
  if (augment.flip && augment.rotate90) return random.below(8);
  if (augment.rotate90) return kRotations[random.below(4)];
  return augment.flip ? random.below(4) : 0;
}

}  // namespace

torch::Tensor dihedral(const torch::Tensor& planes, std::int64_t index) {
  auto changed = planes;
  if (index & 4) changed = changed.transpose(-2, -1);
  if (index & 2) changed = changed.flip({-2});
  if (index & 1) changed = changed.flip({-1});
  return changed;
}

torch::Tensor dihedral_back(const torch::Tensor& planes, std::int64_t index) {
  auto changed = planes;
  if (index & 1) changed = changed.flip({-1});
  if (index & 2) changed = changed.flip({-2});
  if (index & 4) changed = changed.transpose(-2, -1);
  return changed;
}

Minibatch draw_profiles(const std::vector<const BufferedProfile*>& profiles, const TrainingImages& images,
                        const config::ProfileOptions& profile, const config::BufferOptions& buffer,
                        const data::AugmentOptions& augment, bool with_image, Random& random) {
  std::vector<torch::Tensor> inputs;
  std::vector<torch::Tensor> colors;
  std::vector<torch::Tensor> masks;
  for (std::int64_t b = 0; b < buffer.batch; ++b) {
    const auto& drawn = *profiles[random.below(static_cast<std::int64_t>(profiles.size()))];
    const auto window = draw_window(images.size(), buffer.crop, random);
    const std::int64_t symmetry = buffer.dihedral ? random.below(8) : 0;
    std::vector<torch::Tensor> crops;
    for (const auto& map : drawn.maps)
      crops.push_back(window.of(map));
    auto crop = torch::stack(crops);
    for (std::int64_t t = 0; t < crop.size(0); ++t)
      crop[t].div_(drawn.scales[static_cast<std::size_t>(t)]);
    if (buffer.gain > 0) {
      // A common factor would be lost in the normalization, so the factors are divided by their mean.
      std::vector<float> gains;
      double total = 0;
      for (std::int64_t t = 0; t < crop.size(0); ++t) {
        gains.push_back(static_cast<float>(std::exp(buffer.gain * random.normal())));
        total += gains.back();
      }
      for (std::int64_t t = 0; t < crop.size(0); ++t)
        crop[t].mul_(gains[t] * static_cast<double>(crop.size(0)) / total);
    }
    if (buffer.noise > 0) {
      float* const values = crop.data_ptr<float>();
      for (std::int64_t i = 0; i < crop.numel(); ++i)
        values[i] *= static_cast<float>(std::exp(buffer.noise * random.normal()));
    }
    if (profile.transform == config::ProfileTransform::log) crop.add_(0.01).log_();
    inputs.push_back(dihedral(crop, symmetry));
    masks.push_back(dihedral(window.of(images.masks[drawn.image]), symmetry));
    if (with_image) {
      auto color = dihedral(window.of(images.images[drawn.image]), symmetry).clone(torch::MemoryFormat::Contiguous);
      data::augment_color(color.data_ptr<float>(), window.side * window.side, augment,
                          [&random] { return random.uniform(); });
      colors.push_back(std::move(color));
    }
  }
  Minibatch batch;
  batch.input.profile = torch::stack(inputs);
  if (with_image) batch.input.image = torch::stack(colors);
  batch.masks = torch::stack(masks);
  return batch;
}

torch::Tensor augment_patches(const torch::Tensor& patches, const data::AugmentOptions& augment, Random& random) {
  const auto uniform = [&random] { return random.uniform(); };
  const bool color = augment.brightness > 0 || augment.contrast > 0 || augment.color > 0 || augment.noise > 0;
  if (!augment.flip && !augment.rotate90 && !color) return patches;
  auto changed = torch::empty_like(patches);
  const std::int64_t pixels = patches.size(2) * patches.size(3);
  for (std::int64_t b = 0; b < patches.size(0); ++b) {
    changed[b].copy_(dihedral(patches[b], draw_turn(augment, random)));
    if (color) data::augment_color(changed.data_ptr<float>() + b * 3 * pixels, pixels, augment, uniform);
  }
  return changed;
}

Minibatch draw_images(const std::vector<std::int64_t>& among, const TrainingImages& images,
                      const config::BufferOptions& buffer, const data::AugmentOptions& augment, Random& random) {
  const auto uniform = [&random] { return random.uniform(); };
  std::vector<torch::Tensor> inputs;
  std::vector<torch::Tensor> masks;
  for (std::int64_t b = 0; b < buffer.batch; ++b) {
    const std::int64_t drawn = among[random.below(static_cast<std::int64_t>(among.size()))];
    auto image = images.images[drawn].clone();
    auto mask = images.masks[drawn].clone();
    data::augment_geometry(image.data_ptr<float>(), mask.data_ptr<float>(), images.size(), augment, uniform);
    const auto window = draw_window(images.size(), buffer.crop, random);
    const std::int64_t symmetry = draw_turn(augment, random);
    auto crop = dihedral(window.of(image), symmetry).contiguous();
    data::augment_color(crop.data_ptr<float>(), window.side * window.side, augment, uniform);
    inputs.push_back(std::move(crop));
    masks.push_back(dihedral(window.of(mask), symmetry));
  }
  Minibatch batch;
  batch.input.image = torch::stack(inputs);
  batch.masks = torch::stack(masks);
  return batch;
}

}  // namespace nbs::training
