// SPDX-License-Identifier: Apache-2.0
// The pictures of a run's images as files.
#include "picture_files.h"

#include <cmath>
#include <filesystem>

#include <ATen/Parallel.h>

#include "nbs/base/files.h"
#include "nbs/evaluation/pictures.h"

#include "scratch.h"
#include "torch_test.h"

namespace fs = std::filesystem;
using nbs::evaluation::ScoredImage;
using nbs::worker::PicturedImages;
using nbs::worker::write_predictions;

namespace {

constexpr double kThreshold = 0.5;

ScoredImage scored_image(const char* id, std::int64_t height, std::int64_t width, bool with_truth) {
  ScoredImage image;
  image.id = id;
  image.height = height;
  image.width = width;
  for (std::int64_t i = 0; i < height * width; ++i)
    image.probability.push_back(static_cast<float>(0.5 + 0.5 * std::sin(0.01 * static_cast<double>(i))));
  if (with_truth) {
    for (const float value : image.probability)
      image.mask.push_back(value > 0.8F ? 1 : 0);
  }
  return image;
}

// Of several sizes, one so large that its pictures are not encoded side by side.
std::vector<ScoredImage> some_images() {
  return {scored_image("known", 20, 30, true), scored_image("unknown", 12, 8, false),
          scored_image("large", 2100, 2000, true)};
}

PicturedImages pictured_images(const std::vector<ScoredImage>& images) {
  PicturedImages pictured;
  pictured.count = static_cast<std::int64_t>(images.size());
  for (const auto& image : images)
    pictured.pictures += nbs::worker::pictures_of_image(!image.mask.empty());
  pictured.image = [&images](std::int64_t i) { return images[static_cast<std::size_t>(i)]; };
  pictured.colors = [&images](std::int64_t i) {
    const auto& image = images[static_cast<std::size_t>(i)];
    return torch::linspace(0, 1, 3 * image.height * image.width).view({3, image.height, image.width});
  };
  pictured.threshold = kThreshold;
  return pictured;
}

}  // namespace

TEST_CASE("each picture of each image is in its file, however many threads encode them") {
  const auto images = some_images();
  const auto pictured = pictured_images(images);
  const int before = at::get_num_threads();
  for (const int threads : {1, 2, 4}) {
    CAPTURE(threads);
    at::set_num_threads(threads);
    const nbs::test::Scratch scratch;
    const auto folder = scratch.path() / "predictions";
    CHECK_FALSE(write_predictions(folder, pictured));
    std::int64_t files = 0;
    for (const auto& entry : fs::directory_iterator(folder))
      files += entry.is_regular_file() ? 1 : 0;
    CHECK(files == pictured.pictures);
    for (std::size_t i = 0; i < images.size(); ++i) {
      const auto& image = images[i];
      CAPTURE(image.id);
      const auto colors = pictured.colors(static_cast<std::int64_t>(i));
      std::vector<std::uint8_t> mask;
      for (const float value : image.probability)
        mask.push_back(value >= kThreshold ? 1 : 0);
      const auto* const pixels = colors.data_ptr<float>();
      const auto is = [&](const char* ending, const std::string& png) {
        return nbs::read_file(folder / (image.id + ending)) == png;
      };
      using namespace nbs::evaluation;
      CHECK(is(".image.png", image_png(pixels, image.height, image.width)));
      CHECK(is(".mask.png", mask_png(mask, image.height, image.width)));
      CHECK(is(".probability.png", probability_png(image.probability, image.height, image.width)));
      CHECK(is(".overlay.png", overlay_png(pixels, mask, image.mask, image.height, image.width)));
      if (!image.mask.empty()) CHECK(is(".truth.png", mask_png(image.mask, image.height, image.width)));
    }
  }
  at::set_num_threads(before);
}

TEST_CASE("a picture that cannot be written costs no other") {
  const auto images = some_images();
  const auto pictured = pictured_images(images);
  const nbs::test::Scratch scratch;
  const auto folder = scratch.path() / "predictions";
  fs::create_directories(folder / "known.mask.png" / "in the way");
  const auto missing = write_predictions(folder, pictured);
  REQUIRE(missing);
  CHECK(missing->count == 1);
  REQUIRE(missing->reasons.size() == 1);
  CHECK(missing->reasons[0].find("known.mask.png") != std::string::npos);
  std::int64_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    files += entry.is_regular_file() ? 1 : 0;
  CHECK(files == pictured.pictures - 1);
}
