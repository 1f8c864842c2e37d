// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/trainer.h"

#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "nbs/not_finite.h"
#include "nbs/training/divergence.h"
#include "nbs/training/inference.h"
#include "nbs/training/rewards.h"
#include "nbs/training/seeds.h"
#include "nbs/training/stopwatch.h"
#include "nbs/training/whole_images.h"

#include "predictor_side.h"
#include "profile_side.h"
#include "students.h"

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
      seed_(seed),
      random_(seed),
      predictors_(std::make_unique<PredictorSide>(images_, *components_.predictor, components_.folds, settings_,
                                                  random_, seed)),
      selector_(settings_.train) {
  require_students();
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

void Trainer::require_students() const {
  const auto& predictor = *components_.predictor;
  if (settings_.train.student_iterations == 0) return;
  if (predictor.needs_profile() || !predictor.is_trainable()) {
    throw Error(fmt::format(
        "train.student_iterations is {}, iterations of students that learn from images alone, but this predictor {}; "
        "set it to 0",
        settings_.train.student_iterations, predictor.is_trainable() ? "needs loss profiles" : "learns nothing"));
  }
  if (images_.unlabeled == 0) {
    throw Error(
        fmt::format("train.student_iterations is {}, iterations of students that learn from unlabeled images, but all "
                    "{} images are labeled; add images without masks, or set it to 0",
                    settings_.train.student_iterations, WholeImages(images_).labeled()));
  }
  if (components_.students.size() != components_.folds.size() + 1) {
    throw Error(fmt::format("{} students were made for {} predictors", components_.students.size(),
                            components_.folds.size() + 1));
  }
}

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
  for (; iteration_ < train.all_iterations(); ++iteration_) {
    if (interrupted()) return StopReason::interrupted;
    report(iteration_ < train.teacher_iterations() ? run_iteration() : run_student_iteration());
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

// The masks that students learn from depend on the seed and the teachers' model alone, so they are made again where
// training goes on from a checkpoint.
void Trainer::begin_students() {
  if (!best_) throw Error("the students have no teacher: training kept no model before their first iteration");
  const WholeImages whole(images_);
  Random random(component_seed(seed_, "student_images"));
  const auto drawn = drawn_images({whole.labeled(), whole.unlabeled()}, settings_.train.student_images, random);
  Inference teachers(components_, settings_.profile, /*dihedral=*/false, images_.size(), *best_);
  students_ = std::make_unique<Students>(images_, components_.students, settings_, random_,
                                         component_seed(seed_, "students"), pseudo_labels(teachers, images_, drawn));
}

// Only the students learn. What the teachers came to remains the run's model until the last of these iterations is
// done: a student that has hardly begun is worth nothing.
IterationReport Trainer::run_student_iteration() {
  if (!students_) {
    const Stopwatch watch(seconds_.predictor);
    begin_students();
    selector_.reset();  // their l_pred is another one
  }
  IterationReport line;
  line.iteration = iteration_;
  const auto loss = students_->predictors.train(iteration_, seconds_);
  line.l_pred = loss;
  line.l_pred_smoothed = selector_.smooth(*loss);
  if (iteration_ + 1 == settings_.train.all_iterations()) {
    remember_students(*line.l_pred_smoothed);
    line.best = 1;
  }
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

// Students make the masks in place of their teachers.
void Trainer::remember_students(double smoothed) {
  const auto& side = students_->predictors;
  best_->iteration = iteration_;
  best_->loss = smoothed;
  best_->predictor = saved(*components_.students.front(), "predictor");
  best_->folds = side.folds ? side.folds->models() : std::vector<FoldModel>();
  best_->prior_log_odds = side.predictor.prior_log_odds();
}

}  // namespace nbs::training
