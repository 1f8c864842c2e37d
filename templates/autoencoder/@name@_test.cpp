#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "nbs/doctest.h"
#include "nbs/testing.h"

#include "@name@.h"

using nbs::testing::small_facts;
using Made = nbs::testing::Owned<@name@_plugin::@type@>;

namespace {

// [count, 3, 16, 16]: plain colors, which few numbers describe.
torch::Tensor patches(std::int64_t count) {
  auto generator = nbs::make_generator(7);
  return torch::rand({count, 3, 1, 1}, generator).expand({count, 3, 16, 16}).contiguous();
}

}  // namespace

TEST_CASE("it gives every pixel a loss, which learning reduces and train_step() returns as it was before") {
  Made made;
  const auto before = made->pixel_loss(patches(8));
  CHECK(before.sizes().vec() == std::vector<std::int64_t>{8, 16, 16});
  CHECK(before.min().item<double>() >= 0);
  CHECK(made->train_step(patches(8)) == doctest::Approx(before.mean().item<double>()).epsilon(1e-4));
  for (int i = 0; i < 100; ++i)
    made->train_step(patches(8));
  CHECK(made->pixel_loss(patches(8)).mean().item<double>() < 0.5 * before.mean().item<double>());
}

TEST_CASE("a patch's loss does not depend on the others in its batch") {
  Made made;
  const auto together = made->pixel_loss(patches(5));
  for (std::int64_t i = 0; i < 5; ++i)
    CHECK(torch::allclose(made->pixel_loss(patches(5).slice(0, i, i + 1))[0], together[i], 1e-5, 1e-7));
}

TEST_CASE("state() is all that the losses depend on, and it is live") {
  Made trained;
  Made fresh({}, small_facts(1));
  trained->train_step(patches(8));
  const auto from = trained->state();
  auto to = fresh->state();
  REQUIRE(from.size() == to.size());
  for (std::size_t i = 0; i < to.size(); ++i) {
    const torch::NoGradGuard no_grad;
    to[i].copy_(from[i]);
  }
  CHECK(torch::equal(fresh->pixel_loss(patches(5)), trained->pixel_loss(patches(5))));
}

TEST_CASE("what was saved goes on to the same bits") {
  Made original;
  original->train_step(patches(8));
  Made copy({}, small_facts(1));
  nbs::testing::restore(*copy, nbs::testing::saved(*original));
  CHECK(copy->train_step(patches(8)) == original->train_step(patches(8)));
  CHECK(torch::equal(copy->pixel_loss(patches(5)), original->pixel_loss(patches(5))));
}

TEST_CASE("a size of patches that it cannot halve twice is refused") {
  auto facts = small_facts();
  facts.patch_size = 18;
  CHECK_THROWS_AS(Made({}, facts), nbs::Error);
}
