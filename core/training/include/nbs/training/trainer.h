// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nbs/base/random.h"
#include "nbs/config/sections.h"
#include "nbs/data/options.h"
#include "nbs/predictor.h"
#include "nbs/record/metric.h"
#include "nbs/record/stop_reason.h"
#include "nbs/sampler.h"
#include "nbs/training/buffer.h"
#include "nbs/training/divergence.h"
#include "nbs/training/moment.h"
#include "nbs/training/scene.h"

namespace nbs::training {

/// The three learners. Sampler and autoencoder may be missing if the predictor needs no profile.
struct Components {
  std::shared_ptr<Sampler> sampler;
  std::shared_ptr<Autoencoder> autoencoder;
  std::shared_ptr<Predictor> predictor;
};

struct Settings {
  config::ProfileOptions profile;
  config::RewardOptions reward;
  config::BufferOptions buffer;
  config::TrainOptions train;
  data::AugmentOptions augment;
};

/// What is told of one iteration.
using IterationReport = record::IterationMetrics;

/// Seconds spent so far, by stage of Algorithm 1.
struct StageSeconds {
  double rollout = 0;
  double autoencoder = 0;
  double evaluate = 0;
  double predictor = 0;
  double policy = 0;
};

/// diverged: a loss stopped being a number, or is one that means nothing (LossWatch).
using Ending = record::StopReason;

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

  /// Runs to the end. `report` is called after every iteration; `interrupted` is asked before each.
  Outcome run(const std::function<void(const IterationReport&)>& report, const std::function<bool()>& interrupted);

 private:
  class Stopwatch;
  struct RecordedMap {
    torch::Tensor map;  // [S, S], relative to the typical one if profiles are
    double mean = 0;    // of the loss as it is
  };

  void reinitialise();
  void train_autoencoder(IterationReport& report);
  void extend_profiles(IterationReport& report);
  void draw_typical_images();
  void record_typical_loss();
  Life current_life() const;
  std::optional<double> train_predictor(IterationReport& report);
  void train_sampler(std::optional<double> prediction_loss, IterationReport& report);
  bool profiles_full() const;
  bool finishing() const;
  void require_finite_parameters() const;
  State saved(const Component& component, const char* name) const;
  void remember(double smoothed);

  const TrainingImages& images_;
  Components components_;
  Settings settings_;
  Random random_;
  Tiling tiling_;
  Tiling view_tiling_;  // of the loss that samplers see: never overlapping, so that a look stays cheap
  double alpha_;
  Selection selection_;
  ProfileBuffer buffer_;
  ParameterRing ring_;
  LossWatch watch_;
  std::vector<std::int64_t> typical_images_;            // whose median is typical; empty if profiles are not relative
  std::deque<torch::Tensor> typical_;                   // typical_loss() [S, S] of each parameter set in the ring
  std::deque<Life> past_lives_;                         // those that masks are also made from
  std::vector<std::deque<RecordedMap>> labelled_maps_;  // the last T of each labelled image
  std::unique_ptr<CurrentLosses> losses_;
  std::unique_ptr<TrainingScene> labelled_scene_;
  std::unique_ptr<TrainingScene> scene_;
  std::vector<Rollout> rollouts_;  // of this iteration: [cloning,] training
  std::int64_t iteration_ = 0;
  std::int64_t age_ = 0;  // iterations since the autoencoder was initialised
  double beta_ = 0;
  StageSeconds seconds_;
  std::optional<Moment> best_;
};

}  // namespace nbs::training
