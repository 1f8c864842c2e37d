// SPDX-License-Identifier: Apache-2.0
#include "nbs/patch_mean.h"

#include <vector>

#include "nbs/error.h"
#include "nbs/torch_compat.h"

#include "error_text.h"
#include "torch_test.h"

using doctest::Contains;
using nbs::patch_mean;
using nbs::test::error_text;

namespace {

torch::Tensor random_values(std::vector<std::int64_t> shape) {
  auto generator = nbs::make_generator(7);
  return torch::rand(shape, generator);
}

double mean_by_slices(const torch::Tensor& values, const nbs::Patch& patch, std::int64_t p) {
  return values.slice(-2, patch.y, patch.y + p)
      .slice(-1, patch.x, patch.x + p)
      .to(torch::kFloat64)
      .mean()
      .item<double>();
}

// Notes what it is asked for.
class AskedScene : public nbs::Scene {
 public:
  std::int64_t image_count() const override { return 2; }
  std::int64_t image_size() const override { return 12; }
  std::int64_t patch_size() const override { return 5; }
  bool labeled(std::int64_t) const override { return false; }
  torch::Tensor image(std::int64_t) const override { return {}; }
  torch::Tensor mask(std::int64_t) const override { return {}; }
  torch::Tensor loss(std::int64_t image, std::int64_t y, std::int64_t x, std::int64_t height,
                     std::int64_t width) override {
    asked = {image, y, x, height, width};
    return losses[image];
  }
  torch::Tensor losses = random_values({2, 12, 12});
  std::vector<std::int64_t> asked;
};

}  // namespace

TEST_CASE("the mean of a patch is that of its slices, for maps, images and views of any strides") {
  const auto map = random_values({12, 15});
  const auto image = random_values({3, 12, 15});
  for (const auto& [y, x, p] : {std::tuple<int, int, int>{0, 0, 12}, {3, 4, 5}, {11, 14, 1}, {0, 3, 12}}) {
    const nbs::Patch patch{0, y, x};
    CHECK(patch_mean(map, patch, p) == doctest::Approx(mean_by_slices(map, patch, p)).epsilon(1e-12));
    CHECK(patch_mean(image, patch, p) == doctest::Approx(mean_by_slices(image, patch, p)).epsilon(1e-12));
    const nbs::Patch turned{0, x, y};
    CHECK(patch_mean(map.t(), turned, p) == doctest::Approx(patch_mean(map, patch, p)).epsilon(1e-12));
  }
  const auto every_other = image.slice(1, 0, 12, 2).slice(2, 1, 15, 2);
  CHECK(patch_mean(every_other, {0, 1, 2}, 4) ==
        doctest::Approx(mean_by_slices(every_other, {0, 1, 2}, 4)).epsilon(1e-12));
}

TEST_CASE("what is no map, and a patch that leaves it, is refused") {
  const auto map = random_values({12, 15});
  for (const auto& [y, x, p] : {std::tuple<int, int, int>{-1, 0, 4}, {0, -1, 4}, {9, 0, 4}, {0, 12, 4}, {0, 0, 0}})
    CHECK(error_text([&] { patch_mean(map, {0, y, x}, p); }) == Contains("leaves its map of 12 x 15"));
  CHECK(error_text([&] { patch_mean(torch::Tensor(), {}, 1); }) == Contains("takes a float32 map"));
  CHECK(error_text([&] { patch_mean(map.to(torch::kFloat64), {}, 1); }) == Contains("takes a float32 map"));
  CHECK(error_text([&] { patch_mean(map[0], {}, 1); }) == Contains("takes a float32 map"));
}

TEST_CASE("the loss of a patch asks the scene for that patch alone") {
  AskedScene scene;
  const nbs::Patch patch{1, 3, 6};
  CHECK(nbs::patch_loss(scene, patch) == doctest::Approx(mean_by_slices(scene.losses[1], patch, 5)).epsilon(1e-12));
  CHECK(scene.asked == std::vector<std::int64_t>{1, 3, 6, 5, 5});
}
