// SPDX-License-Identifier: Apache-2.0
#include "pictures.h"

#include <string>

#include "nbs/error.h"
#include "nbs/tensor.h"
#include "nbs/torch_compat.h"

namespace nbs::plugin_test {

namespace {

// Where the spot is in each image: a square of a quarter of the side.
torch::Tensor spots(std::int64_t n, std::int64_t size) {
  auto spots = torch::zeros({n, size, size});
  const std::int64_t side = size / 4;
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t y = (size / 8 + 5 * i) % (size - side);
    const std::int64_t x = (size / 2 + 7 * i) % (size - side);
    spots[i].slice(0, y, y + side).slice(1, x, x + side).fill_(1);
  }
  return spots;
}

torch::Tensor noise(at::IntArrayRef shape, std::uint64_t seed) {
  auto generator = make_generator(seed);
  return torch::rand(shape, generator);
}

}  // namespace

torch::Tensor made_images(std::int64_t n, std::int64_t size, std::uint64_t seed) {
  const auto ramp = torch::linspace(0.2, 0.6, size).view({1, 1, 1, size});
  const auto images = ramp + 0.1 * noise({n, 3, size, size}, seed) + 0.3 * spots(n, size).unsqueeze(1);
  return images.clamp(0, 1).contiguous();
}

torch::Tensor made_masks(std::int64_t n, std::int64_t size) {
  return spots(n, size);
}

torch::Tensor made_profiles(std::int64_t n, std::int64_t length, std::int64_t size, std::uint64_t seed) {
  return (0.5 + 0.5 * noise({n, length, size, size}, seed) + 2 * spots(n, size).unsqueeze(1)).contiguous();
}

torch::Tensor made_probabilities(std::int64_t n, std::int64_t size, std::uint64_t seed) {
  auto map = (0.3 * noise({n, size, size}, seed) + 0.6 * spots(n, size)).contiguous();
  map.view({-1})[0] = 0;
  map.view({-1})[1] = 1;
  return map;
}

MadeScene::MadeScene(std::int64_t count, std::int64_t labeled, std::int64_t size, std::int64_t patch_size)
    : images_(made_images(count, size, 1)),
      masks_(made_masks(count, size)),
      labeled_(labeled),
      patch_size_(patch_size),
      losses_(static_cast<std::size_t>(count)) {
  set_round(0);
}

void MadeScene::set_round(std::int64_t round) {
  round_ = round;
  for (std::size_t i = 0; i < losses_.size(); ++i)
    losses_[i] = 0.01 * made_profiles(1, 1, image_size(), 1000 * static_cast<std::uint64_t>(round) + i)[0][0];
}

const char* MadeScene::written() const {
  const MadeScene fresh(image_count(), labeled_, image_size(), patch_size_);
  if (!torch::equal(images_, fresh.images_)) return "an image of the scene";
  if (!torch::equal(masks_, fresh.masks_)) return "a mask of the scene";
  for (std::size_t i = 0; i < losses_.size(); ++i) {
    const auto wanted = 0.01 * made_profiles(1, 1, image_size(), 1000 * static_cast<std::uint64_t>(round_) + i)[0][0];
    if (!torch::equal(losses_[i], wanted)) return "a loss map of the scene";
  }
  return nullptr;
}

std::int64_t MadeScene::checked(std::int64_t image) const {
  if (image < 0 || image >= image_count()) {
    throw Error("image " + std::to_string(image) + " was asked for, but the scene has images 0 to " +
                std::to_string(image_count() - 1));
  }
  return image;
}

bool MadeScene::labeled(std::int64_t image) const {
  return checked(image) < labeled_;
}

torch::Tensor MadeScene::image(std::int64_t image) const {
  return images_[checked(image)];
}

torch::Tensor MadeScene::mask(std::int64_t image) const {
  if (!labeled(image)) {
    throw Error("the mask of image " + std::to_string(image) +
                " was asked for, but that image is not labeled; ask labeled() first");
  }
  return masks_[image];
}

torch::Tensor MadeScene::loss(std::int64_t image, std::int64_t, std::int64_t, std::int64_t, std::int64_t) {
  if (before_loss_) before_loss_();
  return losses_[static_cast<std::size_t>(checked(image))];
}

}  // namespace nbs::plugin_test
