// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <map>

#include "nbs/torch_compat.h"

#include "sampler.h"
#include "torch_test.h"

namespace {

using nbs::Patch;
using nbs::heuristic_sampler::HeuristicSampler;

// Masks of the first images; the last is not labeled.
class MaskScene : public nbs::Scene {
 public:
  MaskScene(torch::Tensor masks, std::int64_t patch_size) : masks_(std::move(masks)), patch_size_(patch_size) {}
  std::int64_t image_count() const override { return masks_.size(0) + 1; }
  std::int64_t image_size() const override { return masks_.size(1); }
  std::int64_t patch_size() const override { return patch_size_; }
  bool labeled(std::int64_t image) const override { return image < masks_.size(0); }
  torch::Tensor image(std::int64_t) const override { throw nbs::Error("not to be asked"); }
  torch::Tensor mask(std::int64_t image) const override {
    if (!labeled(image)) throw nbs::Error("not labeled");
    return masks_[image];
  }
  torch::Tensor loss(std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t) override {
    throw nbs::Error("not to be asked");
  }

 private:
  torch::Tensor masks_;
  std::int64_t patch_size_;
};

// A sampler with a context of its own.
struct Made {
  explicit Made(std::uint64_t seed) : context(facts(seed), [](const std::string&) {}), sampler({}, context) {}
  static nbs::Context::Facts facts(std::uint64_t seed) {
    nbs::Context::Facts facts;
    facts.seed = seed;
    return facts;
  }
  nbs::Context context;
  HeuristicSampler sampler;
};

}  // namespace

TEST_CASE("exactly the patches of labeled images without an anomalous pixel are drawn, each as often") {
  auto generator = nbs::make_generator(4);
  const auto masks = (torch::rand({2, 10, 10}, generator) > 0.95).to(torch::kFloat32);
  MaskScene scene(masks, 4);
  std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>, int> expected;
  for (std::int64_t image = 0; image < 2; ++image) {
    for (std::int64_t y = 0; y <= 6; ++y) {
      for (std::int64_t x = 0; x <= 6; ++x) {
        const auto patch = masks[image].slice(0, y, y + 4).slice(1, x, x + 4);
        if (!patch.any().item<bool>()) expected[{image, y, x}] = 0;
      }
    }
  }
  REQUIRE(expected.size() > 10);
  REQUIRE(expected.size() < 90);
  Made made(1);
  const int each = 300;
  for (const auto& patch : made.sampler.sample(scene, each * static_cast<std::int64_t>(expected.size())).patches) {
    const auto at = expected.find({patch.image, patch.y, patch.x});
    REQUIRE(at != expected.end());
    ++at->second;
  }
  for (const auto& [place, count] : expected)
    CHECK(std::abs(count - each) < 5 * std::sqrt(each));
}

TEST_CASE("labeled images without a clean patch are refused in a sentence") {
  MaskScene scene(torch::ones({2, 8, 8}), 4);
  Made made(1);
  CHECK_THROWS_AS(made.sampler.sample(scene, 5), nbs::Error);
  MaskScene none(torch::zeros({0, 8, 8}), 4);
  Made other(1);
  CHECK_THROWS_AS(other.sampler.sample(none, 5), nbs::Error);
}

TEST_CASE("the same seed gives the same patches, another seed others") {
  MaskScene scene(torch::zeros({2, 12, 12}), 4);
  Made a(1);
  Made b(1);
  Made c(2);
  const auto first = a.sampler.sample(scene, 40).patches;
  CHECK((first == b.sampler.sample(scene, 40).patches));
  CHECK_FALSE((first == c.sampler.sample(scene, 40).patches));
}
