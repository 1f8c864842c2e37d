// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/batches.h"

#include <cmath>
#include <utility>

#include <ATen/Parallel.h>

#include "nbs/data/augment.h"

#include "crop.h"

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

// A view, or a profile of one, and the mask [S, S] that it is taught with.
struct Taught {
  std::int64_t view;
  torch::Tensor mask;
  bool anomalous;  // whether the mask has an anomalous pixel that is no padding
};

std::vector<Taught> taught_views(const std::vector<std::int64_t>& views, const LabeledViews& labeled) {
  std::vector<Taught> taught;
  taught.reserve(views.size());
  for (const auto view : views)
    taught.push_back({view, labeled.images().masks[view], labeled.shows_anomaly(view)});
  return taught;
}

std::vector<Taught> taught_views(const PseudoLabels& pseudo) {
  std::vector<Taught> taught;
  taught.reserve(pseudo.views.size());
  for (std::size_t i = 0; i < pseudo.views.size(); ++i)
    taught.push_back({pseudo.views[i], pseudo.masks[static_cast<std::int64_t>(i)], pseudo.anomalous_pixels[i] > 0});
  return taught;
}

// Draws from a list of things, and a window to be cut out of what it draws: around an anomalous pixel for the share of
// draws that [buffer] says, if there is one.
class CropDrawer {
 public:
  CropDrawer(std::vector<Taught> taught, const LabeledViews& labeled, const config::BufferOptions& buffer)
      : taught_(std::move(taught)), labeled_(labeled), buffer_(buffer) {
    if (buffer.anomalous_crops == 0) return;
    for (std::size_t i = 0; i < taught_.size(); ++i) {
      if (taught_[i].anomalous) anomalous_.push_back(i);
    }
  }

  bool empty() const { return taught_.empty(); }
  const Taught& operator[](std::size_t drawn) const { return taught_[drawn]; }

  std::pair<std::size_t, Window> draw(Random& random) const {
    if (!anomalous_.empty() && random.uniform() < buffer_.anomalous_crops) {
      const auto drawn =
          anomalous_[static_cast<std::size_t>(random.below(static_cast<std::int64_t>(anomalous_.size())))];
      const auto mask = labeled_.whole().without_padding(taught_[drawn].mask, taught_[drawn].view);
      return {drawn, draw_anomalous_window(labeled_.images().size(), mask, buffer_.crop, random)};
    }
    const auto drawn = static_cast<std::size_t>(random.below(static_cast<std::int64_t>(taught_.size())));
    const auto part = labeled_.whole().part(taught_[drawn].view);
    return {drawn, draw_window(labeled_.images().size(), {part.height, part.width}, buffer_.crop, random)};
  }

 private:
  std::vector<Taught> taught_;
  std::vector<std::size_t> anomalous_;
  const LabeledViews& labeled_;
  const config::BufferOptions& buffer_;
};

// Which pixels of a batch are no padding.
class CountedPixels {
 public:
  explicit CountedPixels(const WholeImages& whole) : whole_(whole) {}

  void add(std::int64_t view, std::int64_t size, const Crop& cut) {
    const auto part = whole_.part(view);
    auto& counted = counted_.emplace_back();
    if (part.height == size && part.width == size) return;
    counted = torch::ones({size, size});
    counted.slice(0, part.height).zero_();
    counted.slice(1, part.width).zero_();
    counted = cut.of_mask(counted);
    all_ = all_ && counted.all().item<bool>();
  }
  // For masks [B, H, W]; undefined if all are.
  torch::Tensor of(const torch::Tensor& masks) const {
    if (all_) return {};
    auto counted = torch::ones_like(masks);
    for (std::size_t i = 0; i < counted_.size(); ++i) {
      if (counted_[i].defined()) counted[static_cast<std::int64_t>(i)].copy_(counted_[i]);
    }
    return counted;
  }

 private:
  const WholeImages& whole_;
  std::vector<torch::Tensor> counted_;
  bool all_ = true;
};

// A crop [3, side, side] whose colors are augmented.
torch::Tensor recolored(torch::Tensor colors, const data::AugmentOptions& augment, Random& random) {
  data::augment_color(colors.data_ptr<float>(), colors.size(1) * colors.size(2), augment,
                      [&random] { return random.uniform(); });
  return colors;
}

// Writes the maps of a profile, each divided by its scale, into `to`, [T, side, side]. In one pass over the numbers and
// by all threads: in LibTorch's operations it took an eighth of a step of the predictor.
void write_maps(const BufferedProfile& profile, const Crop& cut, torch::Tensor to) {
  const std::int64_t pixels = to.size(1) * to.size(2);
  auto* const first = to.data_ptr<float>();
  at::parallel_for(0, to.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      const auto index = static_cast<std::size_t>(t);
      cut.write(profile.maps[index].contiguous(), static_cast<float>(profile.scales[index]), first + t * pixels);
    }
  });
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

Minibatch draw_profiles(const std::vector<const BufferedProfile*>& profiles, const LabeledViews& labeled,
                        const config::ProfileOptions& profile, const config::BufferOptions& buffer,
                        const data::AugmentOptions& augment, bool with_image, Random& random) {
  std::vector<torch::Tensor> colors;
  std::vector<torch::Tensor> masks;
  std::vector<std::int64_t> shown;
  shown.reserve(profiles.size());
  for (const auto* const profile_of : profiles)
    shown.push_back(profile_of->image);
  const auto& images = labeled.images();
  const CropDrawer drawer(taught_views(shown, labeled), labeled, buffer);
  CountedPixels counted(labeled.whole());
  Minibatch batch;
  for (std::int64_t b = 0; b < buffer.batch; ++b) {
    const auto [index, window] = drawer.draw(random);
    const auto& drawn = *profiles[index];
    if (!batch.input.profile.defined()) {
      batch.input.profile =
          torch::empty({buffer.batch, static_cast<std::int64_t>(drawn.maps.size()), window.side, window.side});
    }
    Crop cut(images.size(), window, augment, random);
    if (buffer.dihedral) cut.turn(random.below(8));
    auto crop = batch.input.profile[b];
    write_maps(drawn, cut, crop);
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
    masks.push_back(cut.of_mask(images.masks[drawn.image]));
    counted.add(drawn.image, images.size(), cut);
    if (with_image) colors.push_back(recolored(cut.of(images.image(drawn.image)), augment, random));
  }
  if (profile.transform == config::ProfileTransform::log) batch.input.profile.add_(0.01).log_();
  if (with_image) batch.input.image = torch::stack(colors);
  batch.masks = torch::stack(masks);
  batch.counted = counted.of(batch.masks);
  return batch;
}

torch::Tensor augment_patches(const torch::Tensor& patches, const data::AugmentOptions& augment, Random& random) {
  const auto uniform = [&random] { return random.uniform(); };
  const bool color = augment.color_patches && data::changes_color(augment);
  if (!augment.flip && !augment.rotate90 && !color) return patches;
  const auto from = patches.contiguous();
  auto changed = torch::empty_like(from);
  const std::int64_t side = patches.size(2);
  const std::int64_t pixels = side * side;
  const auto turn = [&](std::int64_t b, std::int64_t symmetry) {
    for (std::int64_t plane = 3 * b; plane < 3 * b + 3; ++plane) {
      write_turned(from.data_ptr<float>() + plane * pixels, side, side, symmetry, 1,
                   changed.data_ptr<float>() + plane * pixels);
    }
  };
  if (color) {
    for (std::int64_t b = 0; b < patches.size(0); ++b) {
      turn(b, draw_turn(augment, random));
      data::augment_color(changed.data_ptr<float>() + b * 3 * pixels, pixels, augment, uniform);
    }
    return changed;
  }
  std::vector<std::int64_t> turns;
  for (std::int64_t b = 0; b < patches.size(0); ++b)
    turns.push_back(draw_turn(augment, random));
  at::parallel_for(0, patches.size(0), 8, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t b = begin; b < end; ++b)
      turn(b, turns[static_cast<std::size_t>(b)]);
  });
  return changed;
}

Minibatch draw_images(const std::vector<std::int64_t>& among, const LabeledViews& labeled, const PseudoLabels* pseudo,
                      const config::BufferOptions& buffer, const data::AugmentOptions& augment, Random& random) {
  std::vector<torch::Tensor> inputs;
  std::vector<torch::Tensor> masks;
  const auto& images = labeled.images();
  const CropDrawer true_masks(taught_views(among, labeled), labeled, buffer);
  const CropDrawer pseudo_masks(pseudo != nullptr ? taught_views(*pseudo) : std::vector<Taught>(), labeled, buffer);
  CountedPixels counted(labeled.whole());
  for (std::int64_t b = 0; b < buffer.batch; ++b) {
    const bool is_true = pseudo_masks.empty() || random.uniform() >= buffer.pseudo_labeled;
    const auto& drawer = is_true ? true_masks : pseudo_masks;
    const auto [index, window] = drawer.draw(random);
    const auto& drawn = drawer[index];
    Crop cut(images.size(), window, augment, random);
    cut.turn(draw_turn(augment, random));
    inputs.push_back(recolored(cut.of(images.image(drawn.view)), augment, random));
    masks.push_back(cut.of_mask(drawn.mask.to(torch::kFloat32)));
    counted.add(drawn.view, images.size(), cut);
  }
  Minibatch batch;
  batch.input.image = torch::stack(inputs);
  batch.masks = torch::stack(masks);
  batch.counted = counted.of(batch.masks);
  return batch;
}

}  // namespace nbs::training
