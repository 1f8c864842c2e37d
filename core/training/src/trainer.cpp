// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/trainer.h"

#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "nbs/not_finite.h"
#include "nbs/training/divergence.h"
#include "nbs/training/rewards.h"
#include "nbs/training/stopwatch.h"

#include "predictor_side.h"
#include "profile_side.h"

namespace nbs::training {

namespace {

ImageRange autoencoder_images(const TrainingImages& images, const config::TrainOptions& train) {
  const std::int64_t given = images.labeled + images.unlabeled;
  if (train.autoencoder_images == config::AutoencoderImages::all) return {0, given};
  const std::int64_t count = images.auxiliary() - images.held_out;
  if (count <= 0) {
    throw Error(
        "train.autoencoder_images is \"auxiliary\", but no anomaly-free images are left to train on; raise "
        "data.auxiliary if the data set keeps such images apart, or use \"all\"");
  }
  return {given, count};
}

// Up to `wanted` of the images, each at most once.
std::vector<std::int64_t> drawn_images(const ImageRange& range, std::int64_t wanted, Random& random) {
  std::vector<std::int64_t> rest(static_cast<std::size_t>(range.count));
  std::iota(rest.begin(), rest.end(), range.first);
  std::vector<std::int64_t> drawn;
  while (!rest.empty() && static_cast<std::int64_t>(drawn.size()) < wanted) {
    const auto at = rest.begin() + random.below(static_cast<std::int64_t>(rest.size()));
    drawn.push_back(*at);
    rest.erase(at);
  }
  return drawn;
}

}  // namespace

Trainer::Trainer(const TrainingImages& images, Components components, Settings settings, std::uint64_t seed)
    : images_(images),
      components_(std::move(components)),
      settings_(settings),
      random_(seed),
      predictors_(std::make_unique<PredictorSide>(images_, components_, settings_, random_, seed)),
      selector_(settings_.train) {
  seconds_.rollout = seconds_.autoencoder = seconds_.evaluate = seconds_.predictor = seconds_.policy = 0;
  if (!components_.predictor->needs_profile()) {
    components_.sampler.reset();
    components_.autoencoder.reset();
    return;
  }
  if (!components_.sampler || !components_.autoencoder) {
    throw Error(fmt::format("the predictor needs loss profiles, but the pipeline has no [{}]; add that section",
                            components_.sampler ? "autoencoder" : "sampler"));
  }
  const auto range = autoencoder_images(images_, settings_.train);
  profiles_ = std::make_unique<ProfileSide>(images_, components_, settings_, range,
                                            drawn_images(range, settings_.profile.reference_images, random_), random_);
  profiles_->reset();
}

Trainer::~Trainer() = default;

TrainingResult Trainer::run(const std::function<void(const IterationReport&)>& report,
                            const std::function<bool()>& interrupted) {
  TrainingResult result;
  try {
    result.stop_reason = iterate(report, interrupted);
    remember_last();
  } catch (const Diverged& diverged) {
    result.stop_reason = StopReason::diverged;
    result.explanation = diverged.what();
  } catch (const NotFiniteError& error) {
    // The step after which the autoencoder is no good may be its last before its losses are asked for.
    result.stop_reason = StopReason::diverged;
    result.explanation =
        fmt::format("{} in iteration {}; the likely cause is a learning rate of the autoencoder that is too high",
                    error.what(), iteration_);
  }
  result.iterations = iteration_;
  result.best = best_;
  result.seconds = seconds_;
  if (profiles_) result.sampled = profiles_->density.places(components_.sampler->is_trainable(), images_.ids);
  return result;
}

// Iterates until training ends, and says why it did.
StopReason Trainer::iterate(const std::function<void(const IterationReport&)>& report,
                            const std::function<bool()>& interrupted) {
  const auto& train = settings_.train;
  for (; iteration_ < train.iterations + train.predictor_iterations; ++iteration_) {
    if (interrupted()) return StopReason::interrupted;
    report(run_iteration());
    ++age_;
    if (train.patience > 0 && best_ && iteration_ - last_improvement_ >= train.patience) {
      ++iteration_;
      return StopReason::patience;
    }
  }
  return StopReason::finished;
}

// One iteration j of Algorithm 1. In the last ones, of which there are train.predictor_iterations, only the predictor
// learns.
IterationReport Trainer::run_iteration() {
  IterationReport line;
  line.iteration = iteration_;
  const bool with_profiles = profiles_ != nullptr && iteration_ < settings_.train.iterations;
  if (with_profiles) train_on_patches(line);
  std::optional<double> loss;
  if (predictor_is_due()) loss = predictors_->train(iteration_, seconds_);
  if (loss) line.l_pred = *loss;
  if (with_profiles) {
    const Stopwatch watch(seconds_.policy);
    const bool warming_up = age_ <= settings_.train.warmup;
    profiles_->sampler.train(profiles_->rollouts, loss, warming_up, line);
  }
  if (loss) select(*loss, line);
  return line;
}

// The steps of Algorithm 1 before the predictor's: rollouts, the autoencoder's training, and the profiles.
void Trainer::train_on_patches(IterationReport& line) {
  auto& side = *profiles_;
  const std::int64_t every = settings_.train.reinit_every;
  if (every > 0 && iteration_ > 0 && iteration_ % every == 0) {
    side.reset();
    age_ = 0;
  }
  {
    const Stopwatch watch(seconds_.rollout);
    side.rollouts = side.sampler.roll_out();
    note_places();
  }
  {
    const Stopwatch watch(seconds_.autoencoder);
    const double loss = side.autoencoder.train(side.scene, side.rollouts.training.patches, iteration_);
    side.invalidate_losses();
    line.ae_loss = loss;
  }
  if (!record_is_due()) return;
  const Stopwatch watch(seconds_.evaluate);
  side.recorder.record_parameters();
  if (!components_.predictor->is_trainable()) return;
  auto recorded = side.recorder.record_labeled_maps({&side.labeled_losses, &side.losses});
  predictors_->add(std::move(recorded.profiles));
  if (recorded.loss_ratio) line.loss_ratio = *recorded.loss_ratio;
}

// Counts where the patches lie, for the report.
void Trainer::note_places() {
  auto& side = *profiles_;
  const bool cloning = components_.sampler->is_trainable() && beta(settings_.reward, iteration_) > 0;
  side.density.begin(cloning ? record::SamplingPhase::cloning : record::SamplingPhase::after_cloning);
  side.density.add(side.rollouts.training.patches);
  if (const auto* judged = side.sampler.on_labeled(side.rollouts)) side.density.add_labeled(judged->patches);
}

bool Trainer::predictor_is_due() const {
  return iteration_ >= settings_.train.iterations || iteration_ % settings_.buffer.every == 0;
}

// A predictor that learns nothing only looks at the end: the strides are counted back from there.
bool Trainer::record_is_due() const {
  const std::int64_t position =
      components_.predictor->is_trainable() ? age_ : settings_.train.iterations - 1 - iteration_;
  return position % settings_.profile.stride == 0;
}

bool Trainer::profiles_full() const {
  return !profiles_ || profiles_->recorder.full();
}

// Step 8 of Algorithm 1: keeps this iteration's profiles and predictor if l_pred says so.
void Trainer::select(double prediction_loss, IterationReport& line) {
  const double smoothed = selector_.smooth(prediction_loss);
  line.l_pred_smoothed = smoothed;
  if (!profiles_full() || (profiles_ && profiles_->autoencoder.out_of_range())) return;
  const auto verdict = selector_.judge(smoothed);
  if (verdict.lowest) last_improvement_ = iteration_;
  if (!verdict.keep) return;
  remember(smoothed);
  line.best = 1;
}

// Without l_pred there is no better checkpoint than the last.
void Trainer::remember_last() {
  if (components_.predictor->is_trainable() || !profiles_full()) return;
  require_finite_parameters();
  remember(std::numeric_limits<double>::quiet_NaN());
}

// Nobody has asked for losses of the last parameter sets where the predictor does not learn.
void Trainer::require_finite_parameters() const {
  if (!profiles_) return;
  for (const auto& snapshot : profiles_->recorder.ring().snapshots()) {
    for (const auto& tensor : *snapshot) {
      if (State::all_finite(tensor)) continue;
      throw Diverged(fmt::format(
          "the autoencoder's parameters are not finite after iteration {}; the likely cause is a learning rate of the "
          "autoencoder that is too high",
          iteration_ - 1));
    }
  }
}

State Trainer::saved(const Component& component, const char* name) const {
  State state;
  try {
    component.save(state);
  } catch (const NotFiniteError& error) {
    // The loss is that before the step, which may be the one that broke the parameters.
    throw Diverged(fmt::format("{} after iteration {}; the likely cause is a learning rate of the {} that is too high",
                               error.what(), iteration_, name));
  }
  return state;
}

void Trainer::remember(double smoothed) {
  Checkpoint checkpoint;
  checkpoint.iteration = iteration_;
  checkpoint.loss = smoothed;
  if (profiles_) checkpoint.cycles = profiles_->recorder.cycles();
  checkpoint.predictor = saved(*components_.predictor, "predictor");
  if (components_.sampler) checkpoint.sampler = saved(*components_.sampler, "sampler");
  if (predictors_->folds) checkpoint.folds = predictors_->folds->models();
  checkpoint.prior_log_odds = predictors_->predictor.prior_log_odds();
  best_ = std::move(checkpoint);
}

}  // namespace nbs::training
