// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/batches.h"

#include <algorithm>
#include <cmath>

namespace nbs::training {

namespace {

struct Window {
  std::int64_t y = 0;
  std::int64_t x = 0;
  std::int64_t side = 0;
  torch::Tensor of(const torch::Tensor& planes) const {
    return planes.slice(-2, y, y + side).slice(-1, x, x + side);
  }
};

Window draw_window(std::int64_t size, std::int64_t crop, Random& random) {
  Window window;
  window.side = crop == 0 ? size : std::min(crop, size);
  window.y = random.below(size - window.side + 1);
  window.x = random.below(size - window.side + 1);
  return window;
}

}  // namespace

torch::Tensor dihedral(const torch::Tensor& planes, std::int64_t index) {
  auto turned = planes;
  if (index & 4) turned = turned.transpose(-2, -1);
  if (index & 2) turned = turned.flip({-2});
  if (index & 1) turned = turned.flip({-1});
  return turned;
}

Minibatch draw_profiles(const ProfileBuffer& profiles, const TrainingImages& images,
                        const config::ProfileOptions& profile, const config::BufferOptions& buffer,
                        const data::AugmentOptions& augment, bool with_image, Random& random) {
  std::vector<torch::Tensor> inputs;
  std::vector<torch::Tensor> colours;
  std::vector<torch::Tensor> masks;
  for (std::int64_t b = 0; b < buffer.batch; ++b) {
    const auto& drawn = profiles.at(random.below(profiles.size()));
    const auto window = draw_window(images.size(), buffer.crop, random);
    const std::int64_t turn = buffer.dihedral ? random.below(8) : 0;
    std::vector<torch::Tensor> crops;
    for (const auto& map : drawn.maps) crops.push_back(window.of(map));
    auto crop = torch::stack(crops).div_(drawn.scale);
    if (buffer.gain > 0) {
      // A common factor would be lost in the normalisation, so the factors are divided by their mean.
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
    if (profile.transform == "log") crop.add_(0.01).log_();
    inputs.push_back(dihedral(crop, turn));
    masks.push_back(dihedral(window.of(images.masks[drawn.image]), turn));
    if (with_image) {
      auto colour = dihedral(window.of(images.images[drawn.image]), turn).contiguous().unsqueeze(0);
      data::AugmentOptions colour_only = augment;
      colour_only.flip = false;
      colour_only.rotate90 = false;
      colours.push_back(augment_patches(colour, colour_only, random)[0]);
    }
  }
  Minibatch batch;
  batch.input.profile = torch::stack(inputs);
  if (with_image) batch.input.image = torch::stack(colours);
  batch.masks = torch::stack(masks);
  return batch;
}

}  // namespace nbs::training
