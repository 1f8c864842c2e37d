// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/batches.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "nbs/data/augment.h"

namespace nbs::training {

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

namespace {

// How a sample is cut out of an image and all that belongs to it: a window at a random place, warped if [augment] says
// so, then one of the eight flips and quarter turns.
class Cut {
 public:
  Cut(std::int64_t size, std::int64_t crop, const data::AugmentOptions& augment, Random& random)
      : side_(crop == 0 ? size : std::min(crop, size)),
        y_(random.below(size - side_ + 1)),
        x_(random.below(size - side_ + 1)) {
    if (data::warps(augment)) warp_.emplace(size, y_, x_, side_, augment, [&random] { return random.uniform(); });
  }

  void turn(std::int64_t symmetry) { symmetry_ = symmetry; }

  // Of planes [C, S, S], values in between are interpolated.
  torch::Tensor of(const torch::Tensor& planes) const {
    if (!warp_) return dihedral(window(planes), symmetry_);
    const auto from = planes.contiguous();
    auto warped = torch::empty({planes.size(0), side_, side_});
    for (std::int64_t c = 0; c < planes.size(0); ++c)
      warp_->apply(from[c].data_ptr<float>(), warped[c].data_ptr<float>());
    return dihedral(warped, symmetry_);
  }
  // Of a mask [S, S], which stays 0 or 1.
  torch::Tensor of_mask(const torch::Tensor& mask) const {
    if (!warp_) return dihedral(window(mask), symmetry_);
    auto warped = torch::empty({side_, side_});
    warp_->apply_nearest(mask.contiguous().data_ptr<float>(), warped.data_ptr<float>());
    return dihedral(warped, symmetry_);
  }

 private:
  torch::Tensor window(const torch::Tensor& planes) const {
    return planes.slice(-2, y_, y_ + side_).slice(-1, x_, x_ + side_);
  }

  std::int64_t side_;
  std::int64_t y_;
  std::int64_t x_;
  std::int64_t symmetry_ = 0;
  std::optional<data::Warp> warp_;
};

// A crop [3, side, side] whose colors are augmented; a copy of its own.
torch::Tensor recolored(const torch::Tensor& crop, const data::AugmentOptions& augment, Random& random) {
  auto colors = crop.clone(torch::MemoryFormat::Contiguous);
  data::augment_color(colors.data_ptr<float>(), crop.size(1) * crop.size(2), augment,
                      [&random] { return random.uniform(); });
  return colors;
}

// Maps [T, side, side] of a profile, each divided by its scale.
torch::Tensor scaled_maps(const BufferedProfile& profile, const Cut& cut) {
  std::vector<torch::Tensor> maps;
  for (std::size_t t = 0; t < profile.maps.size(); ++t)
    maps.push_back(cut.of(profile.maps[t].unsqueeze(0)).squeeze(0) / profile.scales[t]);
  return torch::stack(maps);
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

Minibatch draw_profiles(const std::vector<const BufferedProfile*>& profiles, const TrainingImages& images,
                        const config::ProfileOptions& profile, const config::BufferOptions& buffer,
                        const data::AugmentOptions& augment, bool with_image, Random& random) {
  std::vector<torch::Tensor> inputs;
  std::vector<torch::Tensor> colors;
  std::vector<torch::Tensor> masks;
  for (std::int64_t b = 0; b < buffer.batch; ++b) {
    const auto& drawn = *profiles[random.below(static_cast<std::int64_t>(profiles.size()))];
    Cut cut(images.size(), buffer.crop, augment, random);
    if (buffer.dihedral) cut.turn(random.below(8));
    auto crop = scaled_maps(drawn, cut);
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
    inputs.push_back(std::move(crop));
    masks.push_back(cut.of_mask(images.masks[drawn.image]));
    if (with_image) colors.push_back(recolored(cut.of(images.images[drawn.image]), augment, random));
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
  std::vector<torch::Tensor> inputs;
  std::vector<torch::Tensor> masks;
  for (std::int64_t b = 0; b < buffer.batch; ++b) {
    const std::int64_t drawn = among[random.below(static_cast<std::int64_t>(among.size()))];
    Cut cut(images.size(), buffer.crop, augment, random);
    cut.turn(draw_turn(augment, random));
    inputs.push_back(recolored(cut.of(images.images[drawn]), augment, random));
    masks.push_back(cut.of_mask(images.masks[drawn]));
  }
  Minibatch batch;
  batch.input.image = torch::stack(inputs);
  batch.masks = torch::stack(masks);
  return batch;
}

}  // namespace nbs::training
