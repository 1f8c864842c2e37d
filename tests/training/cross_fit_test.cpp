// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/cross_fit.h"

#include <cstdlib>
#include <set>

#include "nbs/error.h"
#include "nbs/training/inference.h"

#include "error_text.h"
#include "fakes.h"

using nbs::test::same;
using nbs::test::small_images;
using nbs::test::small_settings;
using nbs::test::SmallRun;
using nbs::training::fold_images;
using nbs::training::TrainingImages;
using nbs::training::TrainingResult;

namespace {

constexpr std::int64_t kLabeled = 4;

nbs::training::Settings settings_of_folds(double fold_steps = 1) {
  auto settings = small_settings();
  settings.train.selection = nbs::config::Selection::last;
  settings.fold_steps = fold_steps;
  return settings;
}

struct Fitted {
  SmallRun run;
  TrainingResult result;
};

Fitted fit(const TrainingImages& images, std::int64_t folds, double fold_steps = 1) {
  Fitted fitted;
  fitted.run.add_folds(folds);
  fitted.result = fitted.run.run(images, settings_of_folds(fold_steps));
  return fitted;
}

}  // namespace

TEST_CASE("every labeled image is in exactly one fold, and folds differ by one image at most") {
  for (std::int64_t labeled = 2; labeled < 9; ++labeled) {
    for (std::int64_t folds = 2; folds <= labeled; ++folds) {
      std::multiset<std::int64_t> seen;
      for (const auto& fold : fold_images(labeled, folds)) {
        seen.insert(fold.begin(), fold.end());
        CHECK(static_cast<std::int64_t>(fold.size()) >= labeled / folds);
        CHECK(static_cast<std::int64_t>(fold.size()) <= labeled / folds + 1);
      }
      CHECK(static_cast<std::int64_t>(seen.size()) == labeled);
      CHECK(static_cast<std::int64_t>(std::set<std::int64_t>(seen.begin(), seen.end()).size()) == labeled);
    }
  }
}

TEST_CASE("a fold's predictor never learns from the masks that it leaves out, and from all others") {
  const auto images = small_images(16, kLabeled, 2, 3);
  const auto fitted = fit(images, kLabeled);
  REQUIRE(fitted.result.best.has_value());
  REQUIRE(fitted.result.best->folds.size() == kLabeled);
  for (std::int64_t changed = 0; changed < kLabeled; ++changed) {
    CAPTURE(changed);
    auto other = images;
    other.masks = images.masks.clone();
    other.masks[changed] = 1 - other.masks[changed];
    const auto refitted = fit(other, kLabeled);
    CHECK_FALSE(same(refitted.result.best->predictor, fitted.result.best->predictor));
    for (std::size_t k = 0; k < kLabeled; ++k) {
      CAPTURE(k);
      const auto& before = fitted.result.best->folds[k];
      CHECK(before.left_out == std::vector<std::int64_t>{static_cast<std::int64_t>(k)});
      const bool unchanged = same(before.predictor, refitted.result.best->folds[k].predictor);
      CHECK(unchanged == (static_cast<std::int64_t>(k) == changed));
    }
  }
}

TEST_CASE("folds change nothing else in a run") {
  const auto images = small_images(16, kLabeled, 2, 3);
  const auto with = fit(images, kLabeled);
  const auto without = fit(images, 0);
  CHECK(without.result.best->folds.empty());
  CHECK(same(with.run.reports, without.run.reports));
  auto stripped = *with.result.best;
  stripped.folds.clear();
  CHECK(same(stripped, *without.result.best));
}

TEST_CASE("each fold's predictor takes its share of the steps") {
  const auto images = small_images(16, kLabeled, 2, 3);
  for (const double share : {1.0, 0.5, 0.3}) {
    CAPTURE(share);
    const auto fitted = fit(images, kLabeled, share);
    const double wanted = share * static_cast<double>(fitted.run.predictor->steps);
    REQUIRE(fitted.run.predictor->steps > 10);
    for (const auto& fold : fitted.run.folds)
      CHECK(std::abs(static_cast<double>(fold->steps) - wanted) < 1);
  }
}

TEST_CASE("a fold without which no labeled image shows an anomaly has no predictor") {
  auto images = small_images(16, 3, 2, 3);
  images.masks[0].zero_();
  images.masks[2].zero_();
  auto fitted = fit(images, 3);
  const auto& folds = fitted.result.best->folds;
  REQUIRE(folds.size() == 2);
  CHECK(folds[0].left_out == std::vector<std::int64_t>{0});
  CHECK(folds[1].left_out == std::vector<std::int64_t>{2});
  CHECK(fitted.run.folds[1]->steps == 0);
  nbs::training::Inference inference(fitted.run.components(), settings_of_folds().profile, false, 16,
                                     *fitted.result.best);
  CHECK(inference.out_of_fold(images.images[0], 0).defined());
  CHECK_FALSE(inference.out_of_fold(images.images[1], 1).defined());
}

TEST_CASE("an image's out-of-fold map is the mean over the predictors that leave it out") {
  const auto images = small_images(16, kLabeled, 2, 3);
  auto fitted = fit(images, 2);
  const auto& best = *fitted.result.best;
  REQUIRE(best.folds.size() == 2);
  const auto settings = settings_of_folds();
  nbs::training::Inference inference(fitted.run.components(), settings.profile, false, 16, best);
  for (std::int64_t i = 0; i < kLabeled; ++i) {
    const auto image = images.images[i];
    const auto profile = inference.profile(image);
    const auto parameters =
        best.folds[static_cast<std::size_t>(i % 2)].predictor.read("parameters", {2}, torch::kFloat32);
    const auto expected = torch::sigmoid((profile / profile.mean()).mean(0) * parameters[0] + parameters[1]);
    CHECK(torch::allclose(inference.out_of_fold(image, i), expected, 1e-5, 1e-6));
    const auto all = inference.probability_by_predictor(image);
    REQUIRE(all.size(0) == 3);
    CHECK(torch::equal(all[1 + i % 2], inference.out_of_fold(image, i)));
    CHECK_FALSE(torch::allclose(all[1], all[2], 1e-3));
    const auto logits = torch::logit(all);
    CHECK(torch::allclose(inference.probability(image), torch::sigmoid(logits[0] / 2 + logits[1] / 4 + logits[2] / 4)));
  }
}

TEST_CASE("predictors take as many steps as are planned for them, folds to within one turn") {
  const auto images = small_images(16, kLabeled, 2, 3);
  for (const double share : {1.0, 0.5}) {
    auto fitted = fit(images, 2, share);
    const auto settings = settings_of_folds(share);
    CHECK(fitted.run.predictor->steps == nbs::training::planned_steps(settings, true));
    const auto planned = nbs::training::planned_steps(settings, true, share);
    for (const auto& fold : fitted.run.folds)
      CHECK(std::abs(fold->steps - planned) <= settings.buffer.steps);
  }
}

TEST_CASE("a model of more folds than were made is refused") {
  const auto images = small_images(16, kLabeled, 2, 3);
  auto fitted = fit(images, 2);
  SmallRun none;
  CHECK(nbs::test::error_text([&] {
          nbs::training::Inference(none.components(), settings_of_folds().profile, false, 16, *fitted.result.best);
        }) ==
        "the model has the predictors of 2 folds, but 0 were made; it belongs to another pipeline, so run this one "
        "again");
}

TEST_CASE("a fold that diverges ends training, and says which") {
  const auto images = small_images(16, kLabeled, 2, 3);
  SmallRun run;
  run.add_folds(2);
  run.folds[1]->break_at_step = 5;
  const auto result = run.run(images, settings_of_folds());
  CHECK(result.stop_reason == nbs::training::StopReason::diverged);
  CHECK(result.explanation.find("l_pred") != std::string::npos);
}
