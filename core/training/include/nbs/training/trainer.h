// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/base/random.h"
#include "nbs/predictor.h"
#include "nbs/record/diagnostics.h"
#include "nbs/record/metric.h"
#include "nbs/record/seconds.h"
#include "nbs/record/stop_reason.h"
#include "nbs/sampler.h"
#include "nbs/training/checkpoint.h"
#include "nbs/training/settings.h"
#include "nbs/training/training_images.h"

namespace nbs::training {

/// The three learners. Sampler and autoencoder may be missing if the predictor needs no profile.
struct Components {
  std::shared_ptr<Sampler> sampler;
  std::shared_ptr<Autoencoder> autoencoder;
  std::shared_ptr<Predictor> predictor;
  std::vector<std::shared_ptr<Predictor>> folds;  ///< for CrossFit; empty without it
  /// Untrained ones for train.student_iterations: as many as predictor and folds together; empty without them.
  std::vector<std::shared_ptr<Predictor>> students;
  /// The random sources of the three, by their role ("sampler", "autoencoder", "predictor"), as far as they use one:
  /// only what stands here can go on where it was.
  std::map<std::string, at::Generator> generators;
};

/// What is told of one iteration.
using IterationReport = record::IterationMetrics;

/// diverged: a loss stopped being a number, or is one that means nothing (LossWatch).
using StopReason = record::StopReason;

struct TrainingResult {
  StopReason stop_reason = StopReason::finished;
  std::int64_t iterations = 0;
  std::string explanation;                       ///< a sentence, when training diverged
  std::optional<Checkpoint> best;                ///< nothing if profiles were never full
  record::Seconds seconds;                       ///< of the stages of Algorithm 1
  std::optional<record::SampledPlaces> sampled;  ///< nothing without a sampler
};

/// Algorithm 1 of the paper. The images and components must outlive the trainer.
class Trainer {
 public:
  /// Throws nbs::Error if components are missing for what the predictor needs, the settings cannot give a profile, or
  /// the predictor cannot read what it saves.
  Trainer(const TrainingImages& images, Components components, Settings settings, std::uint64_t seed);
  ~Trainer();

  /// Runs to the end, from the start or from where load() put it. `report` is called after every iteration;
  /// `interrupted` is asked before each.
  TrainingResult run(const std::function<void(const IterationReport&)>& report,
                     const std::function<bool()>& interrupted);

  /// Writes all that is needed to go on exactly where training stands, the components and their random sources
  /// included: a trainer that loads it ends with the same bits as this one. Between two iterations only, so from
  /// `interrupted` or after run(); but not after a run that diverged. Throws Diverged if a
  /// component's state is not finite: nothing is worth going on with.
  void save(State& state) const;
  /// Takes over what save() wrote, in a trainer of the same images, components, settings and seed. Throws nbs::Error,
  /// a sentence, for anything else; the trainer is then of no use.
  void load(const State& state);
  /// Iterations done.
  std::int64_t iteration() const { return iteration_; }

 private:
  struct ProfileSide;
  struct PredictorSide;
  struct Students;

  StopReason iterate(const std::function<void(const IterationReport&)>& report,
                     const std::function<bool()>& interrupted);
  IterationReport run_iteration();
  void require_students() const;
  void begin_students();
  IterationReport run_student_iteration();
  void train_on_patches(IterationReport& line);
  void note_places();
  bool predictor_is_due() const;
  bool record_is_due() const;
  bool profiles_full() const;
  void select(double prediction_loss, IterationReport& line);
  void remember_last();
  void require_finite_parameters() const;
  State saved(const Component& component, const char* name) const;
  void remember(double smoothed);
  void remember_students(double smoothed);
  void save_best(StateWriter& writer) const;
  void load_best(const StateReader& reader);
  void load_students(const StateReader& reader);

  const TrainingImages& images_;
  Components components_;
  Settings settings_;
  std::uint64_t seed_;
  Random random_;
  std::unique_ptr<ProfileSide> profiles_;  // null if the predictor reads no profile
  std::unique_ptr<PredictorSide> predictors_;
  std::unique_ptr<Students> students_;  // null until they learn
  CheckpointSelector selector_;
  std::int64_t iteration_ = 0;
  std::int64_t age_ = 0;               // iterations since the autoencoder was initialized
  std::int64_t last_improvement_ = 0;  // the iteration of the lowest smoothed l_pred
  record::Seconds seconds_;
  std::optional<Checkpoint> best_;
};

}  // namespace nbs::training
