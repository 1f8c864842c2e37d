// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>

#include "sampler.h"
#include "torch_test.h"

namespace {

using nbs::Patch;
using nbs::random_sampler::RandomSampler;

// Of a scene, this sampler may use the sizes alone.
class SizesOnly : public nbs::Scene {
 public:
  std::int64_t image_count() const override { return 3; }
  std::int64_t image_size() const override { return 12; }
  std::int64_t patch_size() const override { return 8; }
  bool labeled(std::int64_t) const override { throw nbs::Error("not to be asked"); }
  torch::Tensor image(std::int64_t) const override { throw nbs::Error("not to be asked"); }
  torch::Tensor mask(std::int64_t) const override { throw nbs::Error("not to be asked"); }
  torch::Tensor loss(std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t) override {
    throw nbs::Error("not to be asked");
  }
};

std::vector<Patch> drawn(std::uint64_t seed, std::int64_t count) {
  nbs::Context::Facts facts;
  facts.seed = seed;
  nbs::Context context(facts, [](const std::string&) {});
  RandomSampler sampler({}, context);
  SizesOnly scene;
  CHECK_FALSE(sampler.is_trainable());
  return sampler.sample(scene, count).patches;
}

}  // namespace

TEST_CASE("patches are uniform over all images and places, without a look at masks or losses") {
  const auto patches = drawn(1, 30000);
  REQUIRE(patches.size() == 30000);
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, int> counts;
  for (const auto& patch : patches)
    ++counts[{patch.image, patch.y, patch.x}];
  // 3 images with 5 x 5 places; 400 each, deviation 20.
  CHECK(counts.size() == 75);
  for (const auto& [place, count] : counts) {
    CHECK(std::get<0>(place) < 3);
    CHECK(std::get<1>(place) <= 4);
    CHECK(std::get<2>(place) <= 4);
    CHECK(std::abs(count - 400) < 100);
  }
}

TEST_CASE("the same seed gives the same patches, another seed others") {
  CHECK((drawn(2, 50) == drawn(2, 50)));
  CHECK_FALSE((drawn(2, 50) == drawn(3, 50)));
}
