// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/inference.h"

#include <cmath>
#include <vector>

#include "nbs/error.h"

#include "fakes.h"

namespace {

// A logit that depends on the place, so that turns can be told apart.
class RampPredictor : public nbs::test::MeanPredictor {
 public:
  torch::Tensor logits(const nbs::PredictorInput& input) override {
    const std::int64_t size = input.profile.size(2);
    const auto ramp = torch::arange(size * size, torch::kFloat32).view({1, size, size}) / 100;
    return input.profile.mean(1) * ramp;
  }
};

}  // namespace

TEST_CASE("test-time augmentation is the mean over the eight flips and turns, each turned back") {
  const auto images = nbs::test::small_images(16, 2, 1, 3);
  const auto settings = nbs::test::small_settings();
  nbs::test::SmallRun run;
  const auto outcome = run.run(images, settings);
  auto components = run.components();
  components.predictor = std::make_shared<RampPredictor>();
  nbs::training::Inference plain(components, settings.profile, false, 16, *outcome.best);
  nbs::training::Inference turned(components, settings.profile, true, 16, *outcome.best);
  const auto profile = plain.profile(images.images[2]);
  const auto prepared = profile / profile.mean();
  auto expected = torch::zeros({16, 16});
  for (std::int64_t quarter = 0; quarter < 4; ++quarter) {
    for (const bool mirrored : {false, true}) {
      auto input = torch::rot90(prepared, quarter, {1, 2});
      if (mirrored) input = input.flip({2});
      auto logits = components.predictor->logits({input.unsqueeze(0), {}})[0];
      if (mirrored) logits = logits.flip({1});
      expected += torch::rot90(logits, -quarter, {0, 1}) / 8;
    }
  }
  expected = torch::sigmoid(expected);
  CHECK(torch::allclose(turned.probability(images.images[2]), expected, 1e-5, 1e-6));
  CHECK_FALSE(torch::allclose(plain.probability(images.images[2]), expected, 1e-2, 1e-3));
}

TEST_CASE("the model's correction for the prior is added to every logit") {
  const auto images = nbs::test::small_images(16, 2, 1, 3);
  const auto settings = nbs::test::small_settings();
  nbs::test::SmallRun run;
  auto checkpoint = *run.run(images, settings).best;
  REQUIRE(checkpoint.prior_log_odds == 0);  // the loss is not balanced
  const auto probability = [&] {
    return nbs::training::Inference(run.components(), settings.profile, false, 16, checkpoint)
        .probability(images.images[2])
        .to(torch::kFloat64);
  };
  const auto before = probability();
  checkpoint.prior_log_odds = std::log(1.0 / 9);
  // Odds of q / (1 - q) become a ninth of that.
  CHECK(torch::allclose(probability(), before / (before + 9 * (1 - before)), 1e-5, 1e-7));
}

TEST_CASE("a balanced loss leaves the odds of an anomalous pixel to the model") {
  const auto images = nbs::test::small_images(16, 2, 1, 3);
  auto settings = nbs::test::small_settings();
  settings.train.balance = nbs::config::ClassBalance::balanced;
  nbs::test::SmallRun run;
  const auto outcome = run.run(images, settings);
  const double anomalous = images.masks.sum().item<double>();
  const double normal = static_cast<double>(images.masks.numel()) - anomalous;
  REQUIRE(anomalous > 0);
  CHECK(outcome.best.value().prior_log_odds == doctest::Approx(std::log(anomalous / normal)));
}

TEST_CASE("a model without an autoencoder is refused where profiles are needed") {
  const auto images = nbs::test::small_images(16, 2, 1, 3);
  const auto settings = nbs::test::small_settings();
  nbs::test::SmallRun run;
  auto checkpoint = *run.run(images, settings).best;
  checkpoint.cycles.clear();
  CHECK_THROWS_WITH_AS(
      nbs::training::Inference(run.components(), settings.profile, false, 16, std::move(checkpoint)),
      "the predictor needs loss profiles, but the model holds no autoencoder to make them; run it again", nbs::Error);
}

TEST_CASE("masks are made from the profiles of the last cycles, each as it was at its end") {
  const auto images = nbs::test::small_images(16, 2, 1, 3);
  auto settings = nbs::test::small_settings();  // cycles of 8 iterations
  settings.profile.cycles = 2;
  settings.train.iterations = 24;
  settings.train.selection = nbs::config::Selection::last;
  nbs::test::SmallRun pieces;
  std::vector<nbs::training::Snapshot> ends;
  nbs::training::Trainer trainer(images, pieces.components(), settings, 5);
  const auto outcome = trainer.run(
      [&](const nbs::training::IterationReport& report) {
        if (report.iteration % 8 == 7) ends.push_back(nbs::training::take_snapshot(*pieces.autoencoder));
      },
      [] { return false; });
  REQUIRE(outcome.best.has_value());
  REQUIRE(outcome.best->cycles.size() == 2);
  REQUIRE(ends.size() == 3);
  for (std::size_t l = 0; l < 2; ++l) {
    const auto& snapshots = outcome.best->cycles[l].snapshots;
    REQUIRE(snapshots.size() == 3);
    for (std::size_t i = 0; i < 2; ++i)
      CHECK(torch::equal((*snapshots.back())[i], (*ends[l + 1])[i]));
  }
  // One cycle at a time, and their mean.
  const auto alone = [&](std::size_t cycle) {
    auto checkpoint = *outcome.best;
    checkpoint.cycles = {outcome.best->cycles[cycle]};
    nbs::training::Inference inference(pieces.components(), settings.profile, false, 16, std::move(checkpoint));
    return inference.probability(images.images[2]);
  };
  nbs::training::Inference inference(pieces.components(), settings.profile, false, 16, *outcome.best);
  CHECK_FALSE(torch::allclose(alone(0), alone(1)));
  const auto logits = torch::logit(alone(0)) + torch::logit(alone(1));
  CHECK(torch::allclose(inference.probability(images.images[2]), torch::sigmoid(logits / 2)));
}

TEST_CASE("predictors are combined by their logits: half that of all images, half the mean of the folds") {
  // Of 0.5, 0.9 and 0.1: logits 0, ln 9 and -ln 9.
  const auto by_predictor = torch::tensor({0.9F, 0.5F, 0.1F, 0.2F, 0.8F, 0.8F}).view({3, 1, 2});
  const auto together = nbs::training::combined(by_predictor, 1);
  REQUIRE(together.sizes().vec() == std::vector<std::int64_t>{1, 2});
  const auto odds = [](double q) { return std::log(q / (1 - q)); };
  const auto expected = [&](double main, double first, double second) {
    return 1 / (1 + std::exp(-(odds(main) / 2 + odds(first) / 4 + odds(second) / 4)));
  };
  CHECK(together[0][0].item<double>() == doctest::Approx(expected(0.9, 0.1, 0.8)).epsilon(1e-6));
  CHECK(together[0][1].item<double>() == doctest::Approx(expected(0.5, 0.2, 0.8)).epsilon(1e-6));
  // Without one of all images, the others count alike; as do several of all images.
  const auto mean = 1 / (1 + std::exp(-(odds(0.9) + odds(0.1) + odds(0.8)) / 3));
  CHECK(nbs::training::combined(by_predictor, 0)[0][0].item<double>() == doctest::Approx(mean).epsilon(1e-6));
  CHECK(nbs::training::combined(by_predictor, 3)[0][0].item<double>() == doctest::Approx(mean).epsilon(1e-6));
  const auto two = 1 / (1 + std::exp(-((odds(0.9) + odds(0.1)) / 4 + odds(0.8) / 2)));
  CHECK(nbs::training::combined(by_predictor, 2)[0][0].item<double>() == doctest::Approx(two).epsilon(1e-6));
  // Alone it stays as it is, and 0 and 1 are probabilities, too.
  CHECK(torch::equal(nbs::training::combined(by_predictor.slice(0, 0, 1), 1), by_predictor[0]));
  const auto extreme = nbs::training::combined(torch::tensor({1.0F, 1.0F, 0.0F}).view({3, 1, 1}), 1);
  CHECK(extreme.item<double>() ==
        doctest::Approx(1 / (1 + std::exp(-(16.6355 / 2 + 16.6355 / 4 - 27.6310 / 4)))).epsilon(1e-4));
  CHECK(nbs::training::combined(torch::ones({2, 1, 1}), 1).item<float>() == doctest::Approx(1));
}
