// SPDX-License-Identifier: Apache-2.0
// Trainer::save() and load(): what a run that is killed goes on from.
#include <map>
#include <set>

#include "nbs/error.h"
#include "nbs/training/buffer.h"
#include "nbs/training/safetensors.h"
#include "nbs/training/trainer.h"

#include "fakes.h"

using nbs::test::small_images;
using nbs::test::small_settings;
using nbs::test::SmallRun;
using nbs::training::IterationReport;
using nbs::training::Trainer;
using nbs::training::TrainingResult;

namespace {

// Of four random patches the one where the loss is largest, so that what it chooses depends on every loss map.
class LossSampler : public nbs::test::NotingSampler {
 public:
  using NotingSampler::NotingSampler;
  nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
    const auto drawn = NotingSampler::sample(scene, 4 * count);
    const auto p = scene.patch_size();
    nbs::Rollout rollout;
    for (std::int64_t i = 0; i < count; ++i) {
      double largest = -1;
      nbs::Patch best;
      for (std::int64_t k = 4 * i; k < 4 * i + 4; ++k) {
        const auto& patch = drawn.patches[static_cast<std::size_t>(k)];
        const auto map = scene.loss(patch.image, patch.y, patch.x, p, p);
        const double loss = map.slice(0, patch.y, patch.y + p).slice(1, patch.x, patch.x + p).sum().item<double>();
        if (loss <= largest) continue;
        largest = loss;
        best = patch;
      }
      rollout.patches.push_back(best);
    }
    return rollout;
  }
};

// Everything that has a state is in use: folds, reference maps, a second cycle, smoothing, shuffling, augmentation.
nbs::training::Settings rich_settings() {
  auto settings = small_settings();
  settings.profile.reference_images = 2;
  settings.profile.cycles = 2;
  settings.profile.tile_step = 0;
  settings.profile.tile_offset = 0;
  settings.train.shuffle = true;
  settings.train.selection = nbs::config::Selection::last;
  settings.train.predictor_iterations = 3;
  settings.augment.flip = true;
  settings.fold_steps = 0.5;
  return settings;
}

// The bytes of a file of what a trainer holds before each iteration.
using Saved = std::map<std::int64_t, std::string>;

struct Whole {
  SmallRun run;
  TrainingResult result;
  Saved saved;
};

Whole whole_run(const nbs::training::TrainingImages& images, const nbs::training::Settings& settings) {
  Whole whole;
  whole.run.sampler = std::make_shared<LossSampler>(11);
  whole.run.add_folds(2);
  Trainer trainer(images, whole.run.components(), settings, 5);
  whole.result = trainer.run([&](const IterationReport& report) { whole.run.reports.push_back(report); },
                             [&] {
                               nbs::State state;
                               trainer.save(state);
                               const auto iteration = static_cast<std::int64_t>(whole.run.reports.size());
                               whole.saved[iteration] = nbs::training::to_safetensors(state);
                               return false;
                             });
  return whole;
}

std::string sampled_text(const TrainingResult& result) {
  nbs::record::Diagnostics diagnostics;
  diagnostics.sampled = result.sampled;
  return nbs::record::to_json(diagnostics).dump();
}

}  // namespace

TEST_CASE("a run tells where its sampler sampled, apart for the iterations in which beta is above 0") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = small_settings();
  settings.reward.anneal = 7;
  for (const bool linear : {true, false}) {
    CAPTURE(linear);
    settings.reward.schedule = linear ? nbs::config::BetaSchedule::linear : nbs::config::BetaSchedule::zero;
    SmallRun run;
    Trainer trainer(images, run.components(), settings, 5);
    const auto sampled = trainer.run([](const IterationReport&) {}, [] { return false; }).sampled;
    REQUIRE(sampled.has_value());
    CHECK(sampled->learns);
    REQUIRE(sampled->phases.size() == (linear ? 2 : 1));
    std::int64_t iterations = 0;
    for (const auto& phase : sampled->phases) {
      const bool cloning = phase.phase == nbs::record::SamplingPhase::cloning;
      CHECK(cloning == (linear && iterations == 0));
      if (cloning) CHECK(phase.iterations == 7);
      iterations += phase.iterations;
      CHECK(phase.all.patches == phase.iterations * settings.train.patches);
      REQUIRE(phase.labeled.size() == 2);
      CHECK(phase.labeled[0].patches + phase.labeled[1].patches == phase.iterations * settings.train.clone_patches);
    }
    CHECK(iterations == settings.train.iterations);
  }
}

TEST_CASE("a trainer that loads what another saved before any iteration ends with the same bits") {
  const auto images = small_images(16, 2, 3, 1);
  const auto settings = rich_settings();
  const auto whole = whole_run(images, settings);
  REQUIRE(whole.saved.size() == 23);
  REQUIRE(whole.result.best.has_value());
  REQUIRE(whole.result.best->cycles.size() == 2);
  REQUIRE(whole.result.best->folds.size() == 2);
  for (const auto& [iteration, bytes] : whole.saved) {
    CAPTURE(iteration);
    SmallRun rest;  // with random sources that stand elsewhere
    rest.sampler = std::make_shared<LossSampler>(91);
    rest.autoencoder = std::make_shared<nbs::test::LinearAutoencoder>(92);
    rest.add_folds(2);
    Trainer trainer(images, rest.components(), settings, 93);
    const auto state = nbs::training::from_safetensors(bytes, "checkpoint");
    trainer.load(state);
    // Saved again, it is the same file.
    nbs::State again;
    trainer.save(again);
    CHECK(nbs::training::to_safetensors(again) == bytes);
    const auto result =
        trainer.run([&](const IterationReport& report) { rest.reports.push_back(report); }, [] { return false; });
    const std::vector<IterationReport> expected(whole.run.reports.begin() + iteration, whole.run.reports.end());
    CHECK(nbs::test::same(rest.reports, expected));
    CHECK(result.iterations == whole.result.iterations);
    CHECK(sampled_text(result) == sampled_text(whole.result));
    REQUIRE(result.best.has_value());
    CHECK(nbs::test::same(*result.best, *whole.result.best));
  }
}

TEST_CASE("without a predictor that learns there is no loss to save, and all else is saved") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = rich_settings();
  settings.train.predictor_iterations = 0;
  const auto nothing = [](const IterationReport&) {};
  SmallRun run;
  run.predictor->teachable = false;
  Trainer trainer(images, run.components(), settings, 5);
  const auto whole = trainer.run(nothing, [] { return false; });
  REQUIRE(whole.best.has_value());
  CHECK(std::isnan(whole.best->loss));
  nbs::State state;
  trainer.save(state);
  CHECK_FALSE(state.has("best.loss"));
  SmallRun rest;
  rest.predictor->teachable = false;
  Trainer other(images, rest.components(), settings, 93);
  other.load(state);
  nbs::State again;
  other.save(again);
  CHECK(nbs::training::to_safetensors(again) == nbs::training::to_safetensors(state));
  const auto loaded = other.run(nothing, [] { return false; }).best;
  REQUIRE(loaded.has_value());
  CHECK(loaded->iteration == whole.best->iteration);
  CHECK(std::isnan(loaded->loss));
}

TEST_CASE("a buffered profile of an image that is not labeled is refused") {
  nbs::training::ProfileBuffer buffer(4);
  buffer.push({1, {torch::zeros({4, 4})}, {1.0}});
  nbs::State state;
  nbs::training::StateWriter writer(state);
  buffer.save(writer);
  const nbs::training::StateReader reader(state);
  nbs::training::ProfileBuffer other(4);
  other.load(reader, 2, 1, 4);
  CHECK(other.size() == 1);
  CHECK_THROWS_WITH_AS(other.load(reader, 1, 1, 4), doctest::Contains("has an image that is not labeled"), nbs::Error);
}

TEST_CASE("a loss map that many profiles share is stored once") {
  const auto images = small_images(16, 2, 3, 1);
  auto settings = rich_settings();
  settings.buffer.capacity = 40;
  const auto whole = whole_run(images, settings);
  const auto state = nbs::training::from_safetensors(whole.saved.at(8), "checkpoint");
  std::set<std::string> maps;
  for (const auto& [name, value] : state.tensors()) {
    if (name.rfind("shared.", 0) == 0 && value.sizes() == torch::IntArrayRef({16, 16})) maps.insert(name);
  }
  // Eight iterations of two labeled images, and a reference map for each of the three sets in the ring.
  CHECK(maps.size() == 8 * 2 + 3);
}

TEST_CASE("what another pipeline saved, or nobody, is refused in a sentence") {
  const auto images = small_images(16, 2, 3, 1);
  const auto whole = whole_run(images, rich_settings());
  const auto load = [&](const nbs::training::TrainingImages& other_images, const nbs::training::Settings& settings,
                        const nbs::State& state) {
    SmallRun run;
    run.add_folds(2);
    Trainer trainer(other_images, run.components(), settings, 5);
    trainer.load(state);
  };
  const auto state = [&] { return nbs::training::from_safetensors(whole.saved.at(20), "a.safetensors"); };
  CHECK_NOTHROW(load(images, rich_settings(), state()));
  auto settings = rich_settings();
  SUBCASE("shorter profiles") {
    settings.profile.length = 2;
    CHECK_THROWS_WITH_AS(load(images, settings, state()),
                         "the profile buffer does not fit the options of this pipeline and the rest of a.safetensors; "
                         "it belongs to another pipeline or version",
                         nbs::Error);
  }
  SUBCASE("fewer iterations") {
    settings.train.iterations = 10;
    CHECK_THROWS_WITH_AS(load(images, settings, state()),
                         "\"trainer.iteration\" of a.safetensors is 20, but 0 to 13 is possible; it belongs to another "
                         "pipeline or version, so run this one again",
                         nbs::Error);
  }
  SUBCASE("another size of images") {
    CHECK_THROWS_AS(load(small_images(24, 2, 3, 1), settings, state()), nbs::Error);
  }
  SUBCASE("something is missing, whatever it is") {
    const auto all = state();
    const std::set<std::string> optional = {"loss_watch.first", "selector.lowest", "best.loss"};
    for (const auto& left_out : all.tensors()) {
      CAPTURE(left_out.first);
      if (optional.count(left_out.first) != 0) continue;
      nbs::State less;
      for (const auto& [name, value] : all.tensors()) {
        if (name != left_out.first) less.write(name, value);
      }
      // Without the list of its tiles a map is left over, which is refused too.
      CHECK_THROWS_AS(load(images, settings, less), nbs::Error);
    }
  }
  SUBCASE("something too much") {
    auto more = state();
    more.write_integer("stranger", 1);
    CHECK_THROWS_AS(load(images, settings, more), nbs::Error);
  }
  SUBCASE("a random source that is none") {
    nbs::State broken;
    const auto all = state();
    for (const auto& [name, value] : all.tensors())
      broken.write(name, name == "trainer.random" ? torch::zeros_like(value) : value);
    CHECK_THROWS_AS(load(images, settings, broken), nbs::Error);
  }
}
