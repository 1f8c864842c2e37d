#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include "nbs/doctest.h"
#include "nbs/testing.h"

#include "@name@.h"

using nbs::testing::FakeScene;
using nbs::testing::small_facts;
using Sampler = nbs::testing::Owned<@name@_plugin::@type@>;

TEST_CASE("it takes as many patches as asked for, all inside their images, and writes to nothing") {
  Sampler sampler;
  FakeScene scene;
  CHECK(nbs::testing::is_valid(sampler->sample(scene, 100), scene, 100));
  CHECK(scene.untouched());
}

TEST_CASE("the same seed takes the same patches, another seed others") {
  FakeScene scene;
  const auto taken = [&](std::uint64_t seed) {
    Sampler sampler({}, small_facts(seed));
    return sampler->sample(scene, 50).patches;
  };
  CHECK((taken(1) == taken(1)));
  CHECK_FALSE((taken(1) == taken(2)));
}

TEST_CASE("the more candidates there are, the higher are the losses of the patches that it takes") {
  FakeScene scene;
  const auto mean_loss = [&](std::int64_t candidates) {
    @name@_plugin::@type@::Options options;
    options.candidates = candidates;
    Sampler sampler(options);
    double sum = 0;
    for (const auto& patch : sampler->sample(scene, 200).patches)
      sum += nbs::patch_loss(scene, patch) / 200;
    return sum;
  };
  const double random = mean_loss(1);
  CHECK(mean_loss(4) > 1.5 * random);
  CHECK(mean_loss(32) > mean_loss(4));
}
