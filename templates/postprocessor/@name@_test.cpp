#include <algorithm>
#include <vector>

#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "nbs/doctest.h"
#include "nbs/testing.h"

#include "@name@.h"

using Made = nbs::testing::Owned<@name@_plugin::@type@>;

namespace {

torch::Tensor uniform(std::vector<std::int64_t> shape) {
  auto generator = nbs::make_generator(7);
  return torch::rand(shape, generator);
}

Made with_radius(std::int64_t radius) {
  @name@_plugin::@type@::Options options;
  options.radius = radius;
  return Made(options);
}

}  // namespace

TEST_CASE("each pixel gets the mean of the square around it, as far as that lies in the image") {
  const auto probabilities = uniform({2, 9, 12});
  for (const std::int64_t radius : {0, 1, 3, 20}) {
    auto made = with_radius(radius);
    const auto result = made->apply(probabilities, uniform({2, 3, 9, 12}));
    REQUIRE(result.sizes() == probabilities.sizes());
    for (std::int64_t y = 0; y < 9; ++y) {
      for (std::int64_t x = 0; x < 12; ++x) {
        const auto rows = probabilities[1].slice(0, std::max<std::int64_t>(y - radius, 0), y + radius + 1);
        const auto square = rows.slice(1, std::max<std::int64_t>(x - radius, 0), x + radius + 1);
        CHECK(result[1][y][x].item<double>() == doctest::Approx(square.mean().item<double>()).epsilon(1e-5));
      }
    }
  }
}

TEST_CASE("probabilities stay probabilities, and what it is given is not written to") {
  const auto probabilities = uniform({2, 9, 12});
  const auto before = probabilities.clone();
  Made made;
  const auto result = made->apply(probabilities, uniform({2, 3, 9, 12}));
  CHECK(result.min().item<double>() >= 0);
  CHECK(result.max().item<double>() <= 1);
  CHECK(torch::equal(probabilities, before));
  CHECK(torch::equal(made->apply(torch::ones({1, 5, 5}), uniform({1, 3, 5, 5})), torch::ones({1, 5, 5})));
}

TEST_CASE("an image's result does not depend on the others") {
  const auto probabilities = uniform({3, 9, 12});
  Made made;
  const auto together = made->apply(probabilities, uniform({3, 3, 9, 12}));
  for (std::int64_t i = 0; i < 3; ++i)
    CHECK(torch::equal(made->apply(probabilities.slice(0, i, i + 1), uniform({1, 3, 9, 12}))[0], together[i]));
}
