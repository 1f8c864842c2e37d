// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nbs/training/trainer.h"

namespace nbs::training {

/// What a run's training came to.
struct TrainedRun {
  StopReason stop_reason = StopReason::finished;  ///< of several members: the one that tells of the most trouble
  std::int64_t iterations = 0;                    ///< of all members
  std::string explanation;                        ///< a sentence for each member that diverged
  std::vector<Checkpoint> models;                 ///< one a member; of a member whose profiles were never full none
  record::Seconds seconds;                        ///< of all members
  std::optional<record::SampledPlaces> sampled;   ///< of the first member; nothing without a sampler
};

/// The labeled images of the data set that each of `members` whole models is not taught: for one, and for 0 `folds`,
/// none. Else the models take the folds (fold_images()) in turn. If all anomalies are in one fold, every model is
/// taught all: without that fold a predictor would learn that there are none, and no other fold shows how well one is
/// found.
std::vector<std::vector<std::int64_t>> left_out_by_members(const TrainingImages& images, std::int64_t folds,
                                                           std::int64_t members);

/// Trains the whole models of a run (train.members), one after the other. To each the labeled images that it leaves out
/// are unlabeled ones.
class Members {
 public:
  using MakeComponents = std::function<Components(std::int64_t member)>;

  /// `left_out`: of each member, at least one. `make` gives its components, in the constructor and in run(). `seed`: of
  /// the run. The images must outlive it. Throws nbs::Error as Trainer does.
  Members(const TrainingImages& images, std::vector<std::vector<std::int64_t>> left_out, MakeComponents make,
          Settings settings, std::uint64_t seed);
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  /// Runs to the end, from the start or from where load() put it. `report` is called after every iteration, numbered
  /// through all members; `interrupted` is asked before each. A run that is interrupted has the models of the members
  /// that were done; if there are none, what its first one came to. Throws nbs::Error if the masks that a member was
  /// taught have changed.
  TrainedRun run(const std::function<void(const IterationReport&)>& report, const std::function<bool()>& interrupted);

  /// As Trainer::save() and load() do, with the models of the members that are done.
  void save(State& state) const;
  void load(const State& state);
  /// Iterations done, of all members.
  std::int64_t iteration() const { return done_.iterations + trainer_->iteration(); }

 private:
  void begin(std::int64_t member);
  void require_unchanged() const;
  void add(TrainingResult result, TrainedRun& run) const;
  std::int64_t count() const { return static_cast<std::int64_t>(left_out_.size()); }

  const TrainingImages& images_;
  std::vector<std::vector<std::int64_t>> left_out_;
  MakeComponents make_;
  Settings settings_;
  std::uint64_t seed_;
  TrainedRun done_;                   // of the members before this one
  std::int64_t member_ = 0;           // that trains
  TrainingImages taught_;             // as this member sees them
  std::unique_ptr<Trainer> trainer_;  // of this member
};

}  // namespace nbs::training
