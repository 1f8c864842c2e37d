// SPDX-License-Identifier: Apache-2.0
// train.members: several whole models, each without some of the labeled images.
#include "nbs/training/members.h"

#include <algorithm>
#include <map>
#include <set>

#include "nbs/data/options.h"
#include "nbs/error.h"
#include "nbs/training/ensemble.h"
#include "nbs/training/seeds.h"
#include "nbs/training/whole_images.h"

#include "error_text.h"
#include "fakes.h"

using doctest::Contains;
using nbs::test::same;
using nbs::test::same_snapshots;
using nbs::test::small_images;
using nbs::test::SmallRun;
using nbs::training::Components;
using nbs::training::IterationReport;
using nbs::training::left_out_by_members;
using nbs::training::Members;
using nbs::training::TrainedRun;
using nbs::training::TrainingImages;

namespace {

using Lists = std::vector<std::vector<std::int64_t>>;

constexpr std::int64_t kWithMasks = 4;
constexpr std::int64_t kMembers = 3;
constexpr std::uint64_t kSeed = 8;

nbs::training::Settings settings_of_members() {
  auto settings = nbs::test::small_settings();
  settings.train.selection = nbs::config::Selection::last;
  settings.train.members = kMembers;
  return settings;
}

// Fresh components for each member, and what its runs report.
struct MembersRun {
  std::map<std::int64_t, SmallRun> pieces;  // by member
  std::vector<IterationReport> reports;
  std::function<void(std::int64_t, SmallRun&)> change = [](std::int64_t, SmallRun&) {};

  Members::MakeComponents maker() {
    return [this](std::int64_t member) {
      auto& made = pieces[member];
      made = SmallRun();
      change(member, made);
      return made.components();
    };
  }
  TrainedRun run(
      const TrainingImages& images, const Lists& left_out,
      const std::function<bool()>& interrupted = [] { return false; }) {
    Members members(images, left_out, maker(), settings_of_members(), kSeed);
    return members.run([this](const IterationReport& report) { reports.push_back(report); }, interrupted);
  }
};

Lists folds_of(const TrainingImages& images) {
  return left_out_by_members(images, kMembers, kMembers);
}

bool same_models(const TrainedRun& a, const TrainedRun& b) {
  return std::equal(a.models.begin(), a.models.end(), b.models.begin(), b.models.end(),
                    [](const auto& x, const auto& y) {
                      return x.left_out == y.left_out && x.member == y.member && x.prior_log_odds == y.prior_log_odds &&
                             same_snapshots(x.cycles.front().snapshots, y.cycles.front().snapshots) &&
                             same(x.predictor, y.predictor) && same(x.sampler.value(), y.sampler.value());
                    });
}

nbs::training::Inference inference_of(const nbs::training::Model& model) {
  return {SmallRun().components(), settings_of_members().profile, false, 16, model};
}

nbs::training::Ensemble ensemble_of(const TrainedRun& run) {
  std::vector<nbs::training::Inference> models;
  for (const auto& model : run.models)
    models.push_back(inference_of(model));
  return nbs::training::Ensemble(std::move(models));
}

}  // namespace

TEST_CASE("images that are left out are the first of the unlabeled ones, and their masks are gone") {
  auto images = small_images(16, 3, 2, 1);
  images.ids = {"a", "b", "c", "d", "e"};
  images.held_out = 1;
  const auto others = without_masks_of({1}, images);
  CHECK(others.labeled == 2);
  CHECK(others.unlabeled == 3);
  CHECK(others.held_out == 1);
  CHECK(others.count() == 5);
  CHECK(others.ids == std::vector<std::string>{"a", "c", "b", "d", "e"});
  REQUIRE(others.masks.size(0) == 2);
  const std::vector<std::int64_t> order = {0, 2, 1, 3, 4};
  for (std::size_t i = 0; i < order.size(); ++i)
    CHECK(torch::equal(others.image(static_cast<std::int64_t>(i)), images.image(order[i])));
  for (std::size_t i = 0; i < 2; ++i)
    CHECK(torch::equal(others.masks[static_cast<std::int64_t>(i)], images.masks[order[i]]));
  CHECK(without_masks_of({}, images).labeled == 3);
}

TEST_CASE("an image of several views is left out with all of them") {
  auto images = small_images(8, 4, 1, 1);
  nbs::data::DataOptions options;
  options.image_size = 8;
  options.resize = nbs::data::Resize::tiles;
  options.tile_overlap = 0;
  for (const int width : {8, 16, 8, 8})  // of 1, 2, 1 and 1 views
    images.plans.emplace_back(nbs::data::PixelSize{8, width}, options);
  REQUIRE(images.plans[1].count() == 2);
  images.ids = {"a", "b0", "b1", "c", "d"};
  const auto others = without_masks_of({1}, images);
  CHECK(others.labeled == 2);
  CHECK(others.unlabeled == 3);
  CHECK(others.ids == std::vector<std::string>{"a", "c", "b0", "b1", "d"});
  CHECK(torch::equal(others.masks[1], images.masks[3]));
  CHECK(torch::equal(others.image(2), images.image(1)));
  const nbs::training::WholeImages whole(others);
  CHECK(whole.labeled() == 2);
  CHECK(whole.size(1).width == 8);
  CHECK(whole.size(2).width == 16);
}

TEST_CASE("members take the folds in turn, unless all anomalies are in one of them") {
  auto images = small_images(16, kWithMasks, 1, 1);
  CHECK(left_out_by_members(images, 0, 3) == Lists{{}, {}, {}});
  CHECK(left_out_by_members(images, 4, 1) == Lists{{}});
  CHECK(left_out_by_members(images, 4, 6) == Lists{{0}, {1}, {2}, {3}, {0}, {1}});
  CHECK(left_out_by_members(images, 2, 3) == Lists{{0, 2}, {1, 3}, {0, 2}});
  images.masks[0].zero_();
  images.masks[2].zero_();
  CHECK(left_out_by_members(images, 4, 3) == Lists{{0}, {1}, {2}});
  CHECK(left_out_by_members(images, 2, 3) == Lists{{}, {}, {}});  // both anomalies are in the second fold
  images.masks[1].zero_();
  CHECK(left_out_by_members(images, 4, 3) == Lists{{}, {}, {}});
}

TEST_CASE("a member is what a trainer makes of the images without the masks that it leaves out") {
  const auto images = small_images(16, kWithMasks, 2, 3);
  MembersRun members;
  const auto run = members.run(images, folds_of(images));
  REQUIRE(run.models.size() == kMembers);
  CHECK(run.stop_reason == nbs::training::StopReason::finished);
  CHECK(run.iterations == kMembers * settings_of_members().train.iterations);
  TrainedRun alone;
  std::vector<IterationReport> reports;
  for (std::int64_t m = 0; m < kMembers; ++m) {
    const auto taught = without_masks_of(folds_of(images)[static_cast<std::size_t>(m)], images);
    SmallRun pieces;
    const auto role = m == 0 ? std::string("training") : "member" + std::to_string(m) + ".training";
    auto result = pieces.run(taught, settings_of_members(), nbs::training::component_seed(kSeed, role));
    for (auto report : pieces.reports) {
      report.iteration += m * settings_of_members().train.iterations;
      reports.push_back(report);
    }
    alone.models.push_back(result.best.value());
    alone.models.back().left_out = folds_of(images)[static_cast<std::size_t>(m)];
    alone.models.back().member = m;
  }
  CHECK(same_models(run, alone));
  CHECK(same(members.reports, reports));
  // They differ: each has seeds and masks of its own.
  CHECK_FALSE(same(run.models[0].predictor, run.models[1].predictor));
}

TEST_CASE("the mask of a labeled image has no part in a member that leaves it out") {
  const auto images = small_images(16, kWithMasks, 2, 3);
  const auto run = MembersRun().run(images, folds_of(images));
  auto before = ensemble_of(run);
  for (std::int64_t changed = 0; changed < kWithMasks; ++changed) {
    CAPTURE(changed);
    auto other = images;
    other.masks = images.masks.clone();
    other.masks[changed] = 1 - other.masks[changed];
    const auto again = MembersRun().run(other, folds_of(other));
    for (std::size_t m = 0; m < kMembers; ++m) {
      CAPTURE(m);
      const bool unchanged = same(run.models[m].predictor, again.models[m].predictor);
      CHECK(unchanged == (changed % kMembers == static_cast<std::int64_t>(m)));
    }
    auto after = ensemble_of(again);
    CHECK(torch::equal(before.out_of_fold(images.image(changed), changed),
                       after.out_of_fold(images.image(changed), changed)));
  }
}

TEST_CASE("members say together the mean of their logits, and of a labeled image what those without it say") {
  const auto images = small_images(16, kWithMasks, 2, 3);
  const auto run = MembersRun().run(images, folds_of(images));
  auto ensemble = ensemble_of(run);
  CHECK(ensemble.fully_taught() == 0);
  const auto image = images.image(5);
  const auto maps = ensemble.probability_by_predictor(image);
  REQUIRE(maps.size(0) == kMembers);
  auto logits = torch::zeros({16, 16}, torch::kFloat64);
  for (std::size_t m = 0; m < kMembers; ++m) {
    const auto alone = inference_of(run.models[m]).probability(image);
    CHECK(torch::equal(maps[static_cast<std::int64_t>(m)], alone));
    logits += torch::logit(alone.to(torch::kFloat64)) / static_cast<double>(kMembers);
  }
  CHECK(torch::allclose(ensemble.combined(maps).to(torch::kFloat64), torch::sigmoid(logits), 1e-6, 1e-7));
  // Fold 0 is images 0 and 3.
  CHECK(ensemble.leaves_out(3));
  CHECK(
      torch::equal(ensemble.out_of_fold(images.image(3), 3), inference_of(run.models[0]).probability(images.image(3))));
  // Two that leave out the same count as one.
  const auto more = MembersRun().run(images, {{0}, {1}, {0}});
  auto twice = ensemble_of(more);
  const auto mean_of = [](const torch::Tensor& a, const torch::Tensor& b) {
    return torch::sigmoid((torch::logit(a.to(torch::kFloat64)) + torch::logit(b.to(torch::kFloat64))) / 2)
        .to(torch::kFloat32);
  };
  const auto by = [&](std::size_t m, const torch::Tensor& of) { return inference_of(more.models[m]).probability(of); };
  const auto first = images.image(0);
  CHECK(torch::allclose(twice.out_of_fold(first, 0), mean_of(by(0, first), by(2, first)), 1e-5, 1e-7));
  CHECK_FALSE(twice.leaves_out(2));
  CHECK_FALSE(twice.out_of_fold(images.image(2), 2).defined());
  const auto groups = twice.probability_by_predictor(image);
  REQUIRE(groups.size(0) == 2);
  CHECK(torch::allclose(groups[0], mean_of(by(0, image), by(2, image)), 1e-5, 1e-7));
  CHECK(torch::equal(groups[1], by(1, image)));
  // None leaves out anything.
  const auto full = MembersRun().run(images, {{}, {}});
  auto all = ensemble_of(full);
  CHECK(all.fully_taught() == 1);
  CHECK_FALSE(all.leaves_out(0));
  const auto together = all.probability_by_predictor(image);
  REQUIRE(together.size(0) == 1);
  const auto alone = [&](std::size_t m) { return inference_of(full.models[m]).probability(image); };
  CHECK(torch::allclose(all.combined(together), mean_of(alone(0), alone(1)), 1e-5, 1e-7));
}

TEST_CASE("a member that writes into the masks that it is taught is found out") {
  const auto images = small_images(16, kWithMasks, 2, 3);
  class PaintingSampler : public nbs::test::NotingSampler {
   public:
    using NotingSampler::NotingSampler;
    nbs::Rollout sample(nbs::Scene& scene, std::int64_t count) override {
      if (scene.labeled(0)) scene.mask(0).fill_(1);
      return NotingSampler::sample(scene, count);
    }
  };
  MembersRun members;
  members.change = [](std::int64_t, SmallRun& pieces) { pieces.sampler = std::make_shared<PaintingSampler>(11); };
  CHECK_THROWS_WITH_AS(members.run(images, folds_of(images)), Contains("have changed in memory during training"),
                       nbs::Error);
}

TEST_CASE("members that load what others saved before any iteration end with the same bits") {
  const auto images = small_images(16, kWithMasks, 2, 3);
  const auto left_out = folds_of(images);
  std::vector<std::string> saved;
  MembersRun whole;
  Members members(images, left_out, whole.maker(), settings_of_members(), kSeed);
  const auto run = members.run([&](const IterationReport& report) { whole.reports.push_back(report); },
                               [&] {
                                 nbs::State state;
                                 members.save(state);
                                 CHECK(members.iteration() == static_cast<std::int64_t>(saved.size()));
                                 saved.push_back(nbs::training::to_safetensors(state));
                                 return false;
                               });
  REQUIRE(saved.size() == kMembers * 20);
  for (const std::size_t at : {0U, 7U, 19U, 20U, 21U, 39U, 40U, 55U, 59U}) {
    CAPTURE(at);
    MembersRun other;
    Members resumed(images, left_out, other.maker(), settings_of_members(), kSeed);
    const auto state = nbs::training::from_safetensors(saved[at], "checkpoint");
    resumed.load(state);
    CHECK(resumed.iteration() == static_cast<std::int64_t>(at));
    const auto again =
        resumed.run([&](const IterationReport& report) { other.reports.push_back(report); }, [] { return false; });
    CHECK(same_models(run, again));
    CHECK(again.iterations == run.iterations);
    const std::vector<IterationReport> rest(whole.reports.begin() + static_cast<std::ptrdiff_t>(at),
                                            whole.reports.end());
    CHECK(same(other.reports, rest));
  }
  nbs::State more = nbs::training::from_safetensors(saved[30], "checkpoint");
  more.write_integer("something", 1);
  MembersRun other;
  Members resumed(images, left_out, other.maker(), settings_of_members(), kSeed);
  CHECK(nbs::test::error_text([&] { resumed.load(more); }) == Contains("something"));
}

TEST_CASE("an interrupted run has the members that were done, or what the first one came to") {
  const auto images = small_images(16, kWithMasks, 2, 3);
  const auto left_out = folds_of(images);
  const auto whole = MembersRun().run(images, left_out);
  for (const std::int64_t stop : {2, 15, 35, 41}) {
    CAPTURE(stop);
    MembersRun members;
    const auto run =
        members.run(images, left_out, [&] { return static_cast<std::int64_t>(members.reports.size()) == stop; });
    CHECK(run.stop_reason == nbs::training::StopReason::interrupted);
    CHECK(run.iterations == stop);
    const std::size_t models = stop == 2 ? 0 : static_cast<std::size_t>(std::max<std::int64_t>(1, stop / 20));
    REQUIRE(run.models.size() == models);
    for (std::size_t m = 0; stop >= 20 && m < models; ++m)
      CHECK(same(run.models[m].predictor, whole.models[m].predictor));
    if (models > 0) CHECK(run.models[0].left_out == left_out[0]);
  }
}

TEST_CASE("a member that diverges costs none of the others, and is named") {
  const auto images = small_images(16, kWithMasks, 2, 3);
  const auto left_out = folds_of(images);
  const auto whole = MembersRun().run(images, left_out);
  MembersRun members;
  members.change = [](std::int64_t member, SmallRun& pieces) {
    if (member == 1) pieces.autoencoder->break_at_step = 2;  // before any profile is full
  };
  const auto run = members.run(images, left_out);
  CHECK(run.stop_reason == nbs::training::StopReason::diverged);
  CHECK(run.explanation.rfind("member 1, which began after 20 iterations of the others: ", 0) == 0);
  REQUIRE(run.models.size() == 2);
  CHECK(same(run.models[0].predictor, whole.models[0].predictor));
  CHECK(same(run.models[1].predictor, whole.models[2].predictor));
  CHECK(run.models[1].left_out == left_out[2]);
  CHECK(run.models[1].member == 2);
}

TEST_CASE("a predictor that learns nothing leaves nothing out") {
  const auto images = small_images(16, kWithMasks, 2, 3);
  MembersRun members;
  members.change = [](std::int64_t, SmallRun& pieces) { pieces.predictor->teachable = false; };
  const auto run = members.run(images, folds_of(images));
  REQUIRE(run.models.size() == kMembers);
  for (const auto& model : run.models)
    CHECK(model.left_out.empty());
}
