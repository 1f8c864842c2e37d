// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nbs/autoencoder.h"
#include "nbs/base/random.h"
#include "nbs/predictor.h"
#include "nbs/sampler.h"
#include "nbs/training/moment.h"
#include "nbs/training/predictor_trainer.h"
#include "nbs/training/settings.h"
#include "nbs/training/training_images.h"

namespace nbs::training {

/// The three learners. Sampler and autoencoder may be missing if the predictor needs no profile.
struct Components {
  std::shared_ptr<Sampler> sampler;
  std::shared_ptr<Autoencoder> autoencoder;
  std::shared_ptr<Predictor> predictor;
};

/// What is told of one iteration. Values that an iteration did not produce are absent.
struct IterationReport {
  std::int64_t iteration = 0;
  std::vector<std::pair<std::string, double>> values;
  std::optional<double> value(const std::string& name) const;
};

/// Seconds spent so far, by stage of Algorithm 1.
struct StageSeconds {
  double rollout = 0;
  double autoencoder = 0;
  double evaluate = 0;
  double predictor = 0;
  double policy = 0;
};

/// diverged: a loss stopped being a number, or is one that means nothing (LossWatch).
enum class Ending { finished, patience, interrupted, diverged };
const char* ending_name(Ending ending);

struct Outcome {
  Ending ending = Ending::finished;
  std::int64_t iterations = 0;
  std::string explanation;     ///< a sentence, when training diverged
  std::optional<Moment> best;  ///< nothing if profiles were never full
  StageSeconds seconds;
};

/// Algorithm 1 of the paper. The images and components must outlive the trainer.
class Trainer {
 public:
  /// Throws nbs::Error if components are missing for what the predictor needs, the settings cannot give a profile, or
  /// the predictor cannot read what it saves.
  Trainer(const TrainingImages& images, Components components, Settings settings, std::uint64_t seed);
  ~Trainer();

  /// Runs to the end. `report` is called after every iteration; `interrupted` is asked before each.
  Outcome run(const std::function<void(const IterationReport&)>& report, const std::function<bool()>& interrupted);

 private:
  struct ProfileSide;

  Ending iterate(const std::function<void(const IterationReport&)>& report, const std::function<bool()>& interrupted);
  IterationReport run_iteration();
  void train_on_patches(IterationReport& line);
  bool record_is_due() const;
  bool profiles_full() const;
  void select(double prediction_loss, IterationReport& line);
  void remember_last();
  void require_finite_parameters() const;
  State saved(const Component& component, const char* name) const;
  void remember(double smoothed);

  const TrainingImages& images_;
  Components components_;
  Settings settings_;
  Random random_;
  std::unique_ptr<ProfileSide> profiles_;  // null if the predictor reads no profile
  PredictorTrainer predictor_;
  MomentSelector selector_;
  std::int64_t iteration_ = 0;
  std::int64_t age_ = 0;               // iterations since the autoencoder was initialised
  std::int64_t last_improvement_ = 0;  // the iteration of the lowest smoothed l_pred
  StageSeconds seconds_;
  std::optional<Moment> best_;
};

}  // namespace nbs::training
