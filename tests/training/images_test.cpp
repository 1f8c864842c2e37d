// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/images.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "nbs/data/image_store.h"

#include "torch_test.h"

using nbs::data::ImageStore;
using nbs::training::Images;

namespace {

std::uint8_t level(std::int64_t image, std::int64_t at) {
  return static_cast<std::uint8_t>((image * 31 + at * 7 + at / 256) % 256);
}

std::shared_ptr<const ImageStore> store_of(std::int64_t count, std::int64_t size) {
  std::vector<std::uint8_t> pixels;
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t at = 0; at < 3 * size * size; ++at)
      pixels.push_back(level(i, at));
  }
  return std::make_shared<ImageStore>(size, std::move(pixels));
}

// Whether it is image `image` of store_of().
bool is_image(const torch::Tensor& tensor, std::int64_t image) {
  const auto* const values = tensor.data_ptr<float>();
  for (std::int64_t at = 0; at < tensor.numel(); ++at) {
    if (values[at] != static_cast<float>(level(image, at)) / 255.0F) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("an image is a tensor of its levels over 255, at the place in the store that it was given") {
  const Images images(store_of(3, 8), {2, 0});
  CHECK(images.count() == 2);
  CHECK(images.size() == 8);
  CHECK(images[0].sizes() == torch::IntArrayRef({3, 8, 8}));
  CHECK(is_image(images[0], 2));
  CHECK(is_image(images[1], 0));
  CHECK(images[0].max().item<float>() <= 1);
  std::vector<float> window(3 * 3 * 3);
  images.copy_window(0, 4, 5, 3, window.data());
  const auto expected = images[0].slice(1, 4, 7).slice(2, 5, 8).contiguous();
  CHECK(torch::equal(torch::from_blob(window.data(), {3, 3, 3}), expected));
}

TEST_CASE("images of a tensor are views of it") {
  const auto whole = torch::rand({2, 3, 6, 6});
  const Images images(whole);
  CHECK(images.count() == 2);
  CHECK(images.size() == 6);
  CHECK(images[1].data_ptr() == whole[1].data_ptr());
  std::vector<float> window(3 * 2 * 2);
  images.copy_window(1, 3, 4, 2, window.data());
  CHECK(torch::equal(torch::from_blob(window.data(), {3, 2, 2}), whole[1].slice(1, 3, 5).slice(2, 4, 6).contiguous()));
  CHECK(images.unwritten());
}

TEST_CASE("whoever asks twice gets the same tensor, and one that was written to is found") {
  const Images images(store_of(2, 8), {0, 1});
  const auto first = images[0];
  CHECK(images[0].data_ptr() == first.data_ptr());
  const Images copy = images;
  CHECK(copy[0].data_ptr() == first.data_ptr());
  CHECK(images[1].data_ptr() != first.data_ptr());
  CHECK(images.unwritten());
  first.data_ptr<float>()[5] += 0.25F;
  CHECK_FALSE(images.unwritten());
  // What the autoencoder learns from is not touched.
  std::vector<float> pixels(3 * 64);
  images.copy_window(0, 0, 0, 8, pixels.data());
  CHECK(is_image(torch::from_blob(pixels.data(), {3, 8, 8}), 0));
}

TEST_CASE("64 MiB of images are kept; one that was written to is found also when it is kept no more") {
  constexpr std::int64_t kSize = 1024;  // 12 MiB, so five
  const auto store = store_of(7, kSize);
  for (const bool write : {false, true}) {
    CAPTURE(write);
    const Images images(store, {0, 1, 2, 3, 4, 5, 6});
    const auto first = images[0];
    for (std::int64_t i = 1; i < 5; ++i)
      images[i];
    CHECK(images[0].data_ptr() == first.data_ptr());  // the newest again, so 1 goes next
    images[5];
    CHECK(images[0].data_ptr() == first.data_ptr());
    if (write) first.data_ptr<float>()[0] += 0.25F;
    for (std::int64_t i = 1; i < 7; ++i)
      images[i];
    CHECK(images[0].data_ptr() != first.data_ptr());
    CHECK(is_image(images[0], 0));
    CHECK(images.unwritten() == !write);
  }
}

TEST_CASE("reordered images are the same ones at other places") {
  const Images images(store_of(3, 8), {2, 0, 1});
  const auto others = images.reordered({1, 2, 0});
  CHECK(is_image(others[0], 0));
  CHECK(is_image(others[1], 1));
  CHECK(is_image(others[2], 2));
  CHECK(is_image(images[0], 2));
  CHECK(others[2].data_ptr() == images[0].data_ptr());  // what is kept is shared
  std::vector<float> window(3 * 8 * 8);
  others.copy_window(1, 0, 0, 8, window.data());
  CHECK(is_image(torch::from_blob(window.data(), {3, 8, 8}), 1));
  const auto whole = torch::rand({3, 3, 6, 6});
  const auto of_tensor = Images(whole).reordered({2, 0, 1});
  CHECK(torch::equal(of_tensor[0], whole[2]));
  CHECK(torch::equal(of_tensor[2], whole[1]));
}
