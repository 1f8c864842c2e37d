// SPDX-License-Identifier: Apache-2.0
#include "nbs/testing.h"

#include <string>

#include "torch_test.h"

// What the SDK gives to the tests of plugins stands in for the host, so it must be as strict and as right.

namespace {

using nbs::testing::FakeScene;

// Says what it was made with.
class Notes : public nbs::Postprocessor {
 public:
  struct Options {
    std::int64_t most = 3;
    static void declare(nbs::Schema<Options>& s) { s.add("most", &Options::most).doc("Most."); }
  };
  static void check(const Options& options, const nbs::Context::Facts& facts) {
    if (options.most > facts.image_size) throw nbs::Error("refused");
  }
  Notes(const Options& options, nbs::Context& context) { context.log("most " + std::to_string(options.most)); }
  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor&) override { return probabilities; }
  void save(nbs::State& state) const override {
    state.write_integer("a", 1);
    state.write_integer("b", 2);
  }
  void load(const nbs::State& state) override { state.read_integer("a", 1, 1); }
};

}  // namespace

TEST_CASE("the fake scene keeps what the interface promises") {
  FakeScene::Settings settings;
  settings.images = 3;
  settings.labeled = 1;
  settings.image_size = 32;
  settings.patch_size = 8;
  FakeScene scene(settings);
  CHECK(scene.image_count() == 3);
  CHECK(scene.image_size() == 32);
  CHECK(scene.patch_size() == 8);
  CHECK(scene.image_id(0) != scene.image_id(1));
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto image = scene.image(i);
    CHECK(image.sizes().vec() == std::vector<std::int64_t>{3, 32, 32});
    CHECK((image.scalar_type() == torch::kFloat32));
    CHECK(image.is_contiguous());
    CHECK(image.min().item<double>() >= 0);
    CHECK(image.max().item<double>() <= 1);
    const auto loss = scene.loss(i, 0, 0, 32, 32);
    CHECK(loss.sizes().vec() == std::vector<std::int64_t>{32, 32});
    CHECK(loss.is_contiguous());
    // The anomaly, and only it, has the losses of an anomaly.
    const auto anomalous = scene.true_mask(i) == 1;
    CHECK(anomalous.sum().item<std::int64_t>() == 64);
    CHECK(loss.masked_select(anomalous).min().item<double>() == 1);
    CHECK(loss.masked_select(anomalous.logical_not()).max().item<double>() < 0.1);
    CHECK(scene.labeled(i) == (i == 0));
  }
  CHECK(torch::equal(scene.mask(0), scene.true_mask(0)));
  CHECK_THROWS_AS(scene.mask(1), nbs::Error);
  CHECK_THROWS_AS(scene.image(3), nbs::Error);
  CHECK_THROWS_AS(scene.image(-1), nbs::Error);
  CHECK_THROWS_AS(scene.labeled(3), nbs::Error);
  FakeScene same(settings);
  CHECK(torch::equal(same.image(2), scene.image(2)));
  settings.seed = 1;
  FakeScene other(settings);
  CHECK_FALSE(torch::equal(other.image(2), scene.image(2)));
  settings.patch_size = 33;
  CHECK_THROWS_AS(FakeScene{settings}, nbs::Error);
}

TEST_CASE("the fake scene notices writes, counts the losses that are asked for, and takes others") {
  FakeScene scene;
  CHECK(scene.untouched());
  scene.loss(0, -8, 60, 16, 16);  // 8 rows and 4 columns lie in the image
  CHECK(scene.loss_pixels() == 32);
  const auto map = torch::full({64, 64}, 0.5);
  scene.set_loss(1, map);
  map.fill_(7);
  CHECK(scene.loss(1, 0, 0, 1, 1)[3][4].item<double>() == 0.5);
  CHECK(scene.untouched());
  CHECK_THROWS_AS(scene.set_loss(1, torch::zeros({64, 63})), nbs::Error);
  CHECK_THROWS_AS(scene.set_loss(1, torch::zeros({64, 64}, torch::kFloat64)), nbs::Error);
  for (const auto& tensor : {scene.image(1), scene.mask(1), scene.loss(1, 0, 0, 1, 1)}) {
    const auto before = tensor.clone();
    CHECK(scene.untouched());
    tensor.view({-1})[0] += 0.25F;
    CHECK_FALSE(scene.untouched());
    tensor.copy_(before);
  }
}

TEST_CASE("rollouts are judged as the host judges them") {
  FakeScene scene;  // 4 images of 64 pixels, patches of 16
  const auto valid = [&](const nbs::Patch& patch, std::int64_t count = 1) {
    nbs::Rollout rollout;
    rollout.patches = {patch};
    return nbs::testing::is_valid(rollout, scene, count);
  };
  CHECK(valid({3, 48, 48}));
  CHECK_FALSE(valid({3, 48, 48}, 2));
  CHECK_FALSE(valid({4, 0, 0}));
  CHECK_FALSE(valid({-1, 0, 0}));
  CHECK_FALSE(valid({0, 49, 0}));
  CHECK_FALSE(valid({0, 0, 49}));
  CHECK_FALSE(valid({0, -1, 0}));
}

TEST_CASE("a component is made with its check, keeps its log, and must read all that was saved") {
  Notes::Options options;
  options.most = 5;
  nbs::testing::Owned<Notes> made(options);
  CHECK(made.log() == std::vector<std::string>{"most 5"});
  options.most = 65;
  CHECK_THROWS_AS(nbs::testing::Owned<Notes>{options}, nbs::Error);
  CHECK_THROWS_AS(nbs::testing::restore(*made, nbs::testing::saved(*made)), nbs::Error);
}
