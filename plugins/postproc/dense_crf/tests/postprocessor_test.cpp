// SPDX-License-Identifier: Apache-2.0
#include "postprocessor.h"

#include <string>

#include "nbs/tensor.h"

#include "torch_test.h"

using nbs::crf::DenseCrf;
using nbs::crf::Options;

namespace {

Options options_with(const nbs::OptionValues& values) {
  return nbs::schema_of<Options>().make(values);
}

torch::Tensor refine(const nbs::OptionValues& values, const torch::Tensor& maps, const torch::Tensor& images) {
  nbs::Context context({}, [](const std::string&) {});
  return DenseCrf(options_with(values), context).apply(maps, images);
}

struct Input {
  torch::Tensor maps;
  torch::Tensor images;
};

Input random_input(std::int64_t count, std::int64_t height, std::int64_t width) {
  auto generator = nbs::make_generator(3);
  auto levels = torch::empty({count, 3, height, width});
  levels.uniform_(0, 1, generator);
  auto maps = torch::empty({count, height, width});
  maps.uniform_(0, 1, generator);
  return {maps, (levels * 60 + 80).round() / 255};
}

}  // namespace

TEST_CASE("results do not depend on threads or on the other images") {
  const auto input = random_input(7, 21, 34);
  const auto one = refine({{"threads", std::int64_t{1}}}, input.maps, input.images);
  const auto five = refine({{"threads", std::int64_t{5}}}, input.maps, input.images);
  CHECK(torch::equal(one, five));
  for (std::int64_t i = 0; i < 7; ++i) {
    const auto alone = refine({}, input.maps.slice(0, i, i + 1), input.images.slice(0, i, i + 1));
    CHECK(torch::equal(alone[0], one[i]));
  }
}

TEST_CASE("several maps of one image side by side are refined like each alone") {
  const auto input = random_input(7, 21, 34);
  const auto pictures = input.images.index_select(0, torch::tensor({0, 0, 0, 1, 1, 0, 2}));
  for (const std::int64_t threads : {1, 3}) {
    const auto together = refine({{"threads", threads}}, input.maps, pictures);
    for (std::int64_t i = 0; i < 7; ++i) {
      const auto alone = refine({}, input.maps.slice(0, i, i + 1), pictures.slice(0, i, i + 1));
      CHECK(torch::equal(alone[0], together[i]));
    }
  }
}

TEST_CASE("one object gives the same for the same input, also after another size") {
  nbs::Context context({}, [](const std::string&) {});
  DenseCrf crf(options_with({}), context);
  const auto input = random_input(2, 16, 24);
  const auto other = random_input(1, 9, 50);
  const auto first = crf.apply(input.maps, input.images);
  crf.apply(other.maps, other.images);
  CHECK(torch::equal(crf.apply(input.maps, input.images), first));
}

TEST_CASE("the input is not written to, and probabilities stay in [0, 1] in every mode") {
  auto input = random_input(1, 20, 20);
  input.images = input.images.slice(1, 0, 1).repeat({1, 3, 1, 1});
  const auto maps = input.maps.clone();
  for (const std::string mode : {"lattice", "exact", "grid"}) {
    CAPTURE(mode);
    const auto result = refine({{"mode", mode}}, input.maps, input.images);
    CHECK(torch::equal(input.maps, maps));
    CHECK(result.min().item<float>() >= 0);
    CHECK(result.max().item<float>() <= 1);
    CHECK_FALSE(torch::equal(result, maps));
  }
}

TEST_CASE("lattice, exact and grid agree on where an object is") {
  auto maps = torch::full({1, 32, 32}, 0.3);
  maps.slice(1, 8, 20).slice(2, 8, 20).fill_(0.7);
  auto images = torch::full({1, 3, 32, 32}, 0.2);
  images.slice(2, 8, 20).slice(3, 8, 20).fill_(0.6);
  for (const std::string mode : {"lattice", "exact", "grid"}) {
    CAPTURE(mode);
    CHECK(torch::equal(refine({{"mode", mode}}, maps, images) > 0.5, maps > 0.5));
  }
}

TEST_CASE("the clamp bounds what no iteration returns") {
  const auto maps = torch::tensor({0.0F, 1.0F, 0.5F}).view({1, 1, 3});
  const auto images = torch::zeros({1, 3, 1, 3});
  const auto result = refine({{"iterations", std::int64_t{0}}, {"clamp", 0.01}}, maps, images);
  CHECK(torch::allclose(result, torch::tensor({0.01F, 0.99F, 0.5F}).view({1, 1, 3}), 1e-5, 1e-6));
}

TEST_CASE("wrong input is refused with a sentence") {
  const auto input = random_input(2, 8, 9);
  const auto refused = [&](const torch::Tensor& maps, const torch::Tensor& images, const char* part) {
    CHECK_THROWS_WITH_AS(refine({}, maps, images), doctest::Contains(part), nbs::Error);
  };
  auto maps = input.maps.clone();
  maps[1][2][3] = std::numeric_limits<float>::quiet_NaN();
  refused(maps, input.images, "in map 1 at (3, 2)");
  maps[1][2][3] = -0.1;
  refused(maps, input.images, "must lie in [0, 1]");
  refused(input.maps.slice(1, 0, 7), input.images, "same number and size");
  refused(input.maps.slice(0, 0, 1), input.images, "same number and size");
  refused(input.maps, input.images.slice(1, 0, 1), "same number and size");
  auto images = input.images.clone();
  images[0][1][2][3] = std::numeric_limits<float>::infinity();
  refused(input.maps, images, "not numbers");
  CHECK_THROWS_WITH_AS(refine({{"scolor", std::vector<double>{1, 2}}}, input.maps, input.images),
                       doctest::Contains("one for all"), nbs::Error);
  CHECK_THROWS_WITH_AS(refine({{"sx", 0.0}}, input.maps, input.images), doctest::Contains("sx"), nbs::Error);
  CHECK_THROWS_WITH_AS(refine({{"scolor", std::vector<double>{0.001}}}, input.maps, input.images),
                       doctest::Contains("too small"), nbs::Error);
}

TEST_CASE("no images are no work") {
  const auto result = refine({}, torch::empty({0, 8, 8}), torch::empty({0, 3, 8, 8}));
  CHECK(result.sizes() == torch::IntArrayRef({0, 8, 8}));
}
