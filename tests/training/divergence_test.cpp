// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/divergence.h"

#include "nbs/host/checked.h"

#include "fakes.h"

using nbs::test::small_images;
using nbs::test::small_settings;
using nbs::training::LossWatch;
using nbs::training::StopReason;

namespace {

// Reports the losses of a script, one for each iteration, in place of its own.
class ScriptedAutoencoder : public nbs::test::LinearAutoencoder {
 public:
  explicit ScriptedAutoencoder(std::vector<double> script) : LinearAutoencoder(12), script_(std::move(script)) {}
  double train_step(const torch::Tensor& patches) override {
    const double own = LinearAutoencoder::train_step(patches);
    const auto iteration = static_cast<std::size_t>((steps - 1) / 2);  // two minibatches
    return iteration < script_.size() && script_[iteration] > 0 ? script_[iteration] : own;
  }

 private:
  std::vector<double> script_;
};

nbs::training::TrainingResult run_with(const std::vector<double>& script, const nbs::training::Settings& settings,
                                       std::vector<nbs::training::IterationReport>& reports, bool teachable = true) {
  static const auto images = small_images(16, 2, 3, 1);
  nbs::test::SmallRun run;
  run.predictor->teachable = teachable;
  auto components = run.components();
  components.autoencoder = std::make_shared<ScriptedAutoencoder>(script);
  nbs::training::Trainer trainer(images, components, settings, 5);
  return trainer.run([&](const nbs::training::IterationReport& report) { reports.push_back(report); },
                     [] { return false; });
}

}  // namespace

TEST_CASE("a loss that stays out of range is divergence; a spike that passes is not") {
  LossWatch watch;
  watch.begin_cycle();
  watch.see_batch(0.1);
  watch.see_batch(1e22);  // only the first of a cycle tells what is usual
  for (int i = 0; i < 9; ++i)
    CHECK_FALSE(watch.see_iteration(i, 1e22, false).has_value());
  CHECK(watch.out_of_range());
  CHECK_FALSE(watch.see_iteration(9, 0.2, false).has_value());
  CHECK_FALSE(watch.out_of_range());
  for (int i = 10; i < 19; ++i)
    CHECK_FALSE(watch.see_iteration(i, 101, false).has_value());
  const auto said = watch.see_iteration(19, 1e22, false);
  REQUIRE(said.has_value());
  CHECK(
      *said ==
      "the autoencoder's loss is 1e+22 in iteration 19 and has been above 100 since iteration 10, but it began at 0.1 "
      "and images are in [0, 1], so it reconstructs nothing; the likely cause is a learning rate of the autoencoder "
      "that is too high");
  // A cycle of another kind of loss, which begins high.
  watch.begin_cycle();
  watch.see_batch(-5000);
  CHECK_FALSE(watch.see_iteration(20, 4e5, true).has_value());
  CHECK(watch.see_iteration(21, 6e5, true).has_value());
  // A sum of squares over 64 x 64 x 3 values is judged by its own beginning.
  watch.begin_cycle();
  watch.see_batch(1200);
  for (int i = 0; i < 30; ++i)
    CHECK_FALSE(watch.see_iteration(i, 1e5, false).has_value());
}

TEST_CASE("a run whose autoencoder blows up ends as diverged, with the last good checkpoint") {
  auto settings = small_settings();
  settings.train.iterations = 40;
  settings.train.reinit_every = 0;
  settings.train.selection = nbs::config::Selection::last;
  std::vector<nbs::training::IterationReport> reports;
  std::vector<double> script(40, 0);
  std::fill(script.begin() + 7, script.end(), 1e22);
  const auto outcome = run_with(script, settings, reports);
  CHECK(outcome.stop_reason == StopReason::diverged);
  CHECK(outcome.iterations == 16);  // the tenth in a row
  CHECK(outcome.explanation.find("since iteration 7") != std::string::npos);
  REQUIRE(outcome.best.has_value());
  CHECK(outcome.best->iteration == 6);
}

TEST_CASE("a run with an early spike after each re-initialization trains to its end") {
  auto settings = small_settings();  // cycles of 8 iterations
  settings.train.iterations = 24;
  std::vector<nbs::training::IterationReport> reports;
  std::vector<double> script(24, 0);
  for (const int spike : {0, 1, 8, 9, 16, 17})
    script[static_cast<std::size_t>(spike)] = 1e6;
  // The first loss of a cycle is the spike itself here, so let it come in the second iteration.
  script[0] = script[8] = script[16] = 0;
  const auto outcome = run_with(script, settings, reports);
  CHECK(outcome.stop_reason == StopReason::finished);
  CHECK(outcome.explanation.empty());
  CHECK(outcome.best.has_value());
}

TEST_CASE("a run that ends out of range has diverged, also where no predictor looks at the losses") {
  auto settings = small_settings();
  settings.train.iterations = 12;
  settings.train.reinit_every = 0;
  std::vector<double> script(12, 0);
  script[11] = 1e9;
  for (const bool teachable : {true, false}) {
    CAPTURE(teachable);
    std::vector<nbs::training::IterationReport> reports;
    const auto outcome = run_with(script, settings, reports, teachable);
    CHECK(outcome.stop_reason == StopReason::diverged);
    CHECK(outcome.best.has_value() == teachable);
  }
}

TEST_CASE("parameters that are no numbers are never the checkpoint that is kept") {
  auto settings = small_settings();
  settings.train.iterations = 12;
  settings.train.reinit_every = 0;
  settings.train.selection = nbs::config::Selection::last;
  const auto images = small_images(16, 2, 3, 1);
  // A predictor whose step breaks it: the loss of that step is still a number.
  class Breaking : public nbs::test::MeanPredictor {
   public:
    void save(nbs::State& state) const override {
      MeanPredictor::save(state);
      state.write("broken", torch::tensor(steps >= 6 ? nbs::test::kNan : 0.0));
    }
    void load(const nbs::State& state) override {
      MeanPredictor::load(state);
      state.read("broken", {}, torch::kFloat32);
    }
  };
  nbs::test::SmallRun run;
  run.predictor = std::make_shared<Breaking>();
  const auto outcome = run.run(images, settings);
  CHECK(outcome.stop_reason == StopReason::diverged);
  CHECK(outcome.explanation.find("learning rate of the predictor") != std::string::npos);
  REQUIRE(outcome.best.has_value());
  CHECK(outcome.best->iteration == 6);  // its first step is in iteration 2
  // And an autoencoder that nobody asked for losses since its last step.
  nbs::test::SmallRun last;
  last.predictor->teachable = false;
  last.autoencoder->break_at_step = 2 * 12;
  const auto broken = last.run(images, settings);
  CHECK(broken.stop_reason == StopReason::diverged);
  CHECK_FALSE(broken.best.has_value());
}

TEST_CASE("a predictor that cannot read what it saves is refused before training") {
  class Forgetful : public nbs::test::MeanPredictor {
   public:
    void load(const nbs::State&) override {}
  };
  nbs::test::SmallRun run;
  auto components = run.components();
  components.predictor = nbs::host::checked(std::static_pointer_cast<nbs::Predictor>(std::make_shared<Forgetful>()),
                                            {"predictor \"forgetful\"", "p.toml:3:1"});
  const auto images = small_images(16, 2, 3, 1);
  CHECK_THROWS_WITH_AS(nbs::training::Trainer(images, components, small_settings(), 1),
                       doctest::Contains("p.toml:3:1: predictor \"forgetful\", load(): the tensor \"parameters\""),
                       nbs::Error);
}

TEST_CASE("iterations out of range before a checkpoint count after it") {
  LossWatch watch;
  watch.begin_cycle();
  watch.see_batch(0.1);
  for (int i = 0; i < 6; ++i)
    CHECK_FALSE(watch.see_iteration(i, 1e9, false).has_value());
  nbs::State state;
  nbs::training::StateWriter writer(state);
  watch.save(writer);
  LossWatch other;
  other.load(nbs::training::StateReader(state));
  CHECK(other.out_of_range());
  for (int i = 6; i < 9; ++i)
    CHECK_FALSE(other.see_iteration(i, 1e9, false).has_value());
  CHECK(other.see_iteration(9, 1e9, false).value_or("").find("since iteration 0, but it began at 0.1") !=
        std::string::npos);
}
