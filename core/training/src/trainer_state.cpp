// SPDX-License-Identifier: Apache-2.0
// What a checkpoint of a run holds: Trainer::save() and load().
#include <limits>

#include <fmt/format.h>

#include "nbs/training/trainer.h"

#include "predictor_side.h"
#include "profile_side.h"
#include "seconds_io.h"
#include "students.h"

namespace nbs::training {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

}  // namespace

void Trainer::save(State& state) const {
  StateWriter writer(state);
  writer.integer("trainer.iteration", iteration_);
  writer.integer("trainer.age", age_);
  writer.integer("trainer.last_improvement", last_improvement_);
  writer.bytes("trainer.random", random_.state());
  write_seconds(writer, "trainer.seconds", seconds_);
  for (const auto& [role, generator] : components_.generators)
    writer.tensor("random." + role, generator.get_state());
  selector_.save(writer);
  predictors_->buffer.save(writer);
  if (predictors_->folds) predictors_->folds->save(writer, "folds_of_teacher");
  writer.part("predictor", saved(*components_.predictor, "predictor"));
  if (profiles_) {
    profiles_->autoencoder.save(writer);
    profiles_->labeled_losses.save(writer, "labeled_losses");
    profiles_->losses.save(writer, "losses");
    profiles_->recorder.save(writer);
    profiles_->density.save(writer);
    writer.part("autoencoder", saved(*components_.autoencoder, "autoencoder"));
    writer.part("sampler", saved(*components_.sampler, "sampler"));
  }
  save_best(writer);
  writer.integer("students", students_ ? 1 : 0);
  if (!students_) return;
  writer.part("student", saved(*components_.students.front(), "predictor"));
  if (const auto& folds = students_->predictors.folds) folds->save(writer, "folds_of_student");
}

void Trainer::save_best(StateWriter& writer) const {
  writer.integer("best.iteration", best_ ? best_->iteration : -1);
  if (!best_) return;
  if (std::isfinite(best_->loss)) writer.number("best.loss", best_->loss);
  writer.integer("best.cycles", static_cast<std::int64_t>(best_->cycles.size()));
  for (std::size_t l = 0; l < best_->cycles.size(); ++l)
    write_cycle(writer, fmt::format("best.cycle{}", l), best_->cycles[l]);
  writer.part("best.predictor", best_->predictor);
  if (best_->sampler) writer.part("best.sampler", *best_->sampler);
  write_folds(writer, "best.folds", best_->folds);
}

void Trainer::load(const State& state) {
  const StateReader reader(state);
  iteration_ = reader.integer("trainer.iteration", 0, settings_.train.all_iterations());
  age_ = reader.integer("trainer.age", 0, kMost);
  last_improvement_ = reader.integer("trainer.last_improvement", 0, kMost);
  random_.set_state(reader.bytes("trainer.random"));
  seconds_ = read_seconds(reader, "trainer.seconds");
  selector_.load(reader);
  predictors_->buffer.load(reader, images_.labeled, settings_.profile.length, images_.size());
  load_best(reader);  // into the components too, where what follows takes its place
  load_part(reader, *components_.predictor, "predictor");
  if (predictors_->folds) predictors_->folds->load(reader, "folds_of_teacher");
  if (profiles_) {
    load_part(reader, *components_.autoencoder, "autoencoder");
    load_part(reader, *components_.sampler, "sampler");
    profiles_->autoencoder.load(reader);
    profiles_->labeled_losses.load(reader, "labeled_losses");
    profiles_->losses.load(reader, "losses");
    profiles_->recorder.load(reader);
    profiles_->density.load(reader);
  }
  load_students(reader);
  // Last, as a component may draw while it loads.
  for (auto& [role, generator] : components_.generators) {
    const auto wanted = generator.get_state();
    generator.set_state(reader.tensor("random." + role, wanted.sizes(), wanted.scalar_type()));
  }
  state.require_all_read();
}

// After their teachers, whose masks they learn from.
void Trainer::load_students(const StateReader& reader) {
  students_.reset();
  if (reader.integer("students", 0, 1) == 0) return;
  reader.require(best_.has_value() && !components_.students.empty(),
                 "there are students, but no model of a teacher, or the pipeline has none");
  begin_students();
  load_part(reader, *components_.students.front(), "student");
  if (const auto& folds = students_->predictors.folds) folds->load(reader, "folds_of_student");
}

void Trainer::load_best(const StateReader& reader) {
  best_.reset();
  Checkpoint best;
  best.iteration = reader.integer("best.iteration", -1, iteration_);
  if (best.iteration < 0) return;
  best.loss = reader.has("best.loss") ? reader.number("best.loss") : std::numeric_limits<double>::quiet_NaN();
  const auto cycles = reader.integer("best.cycles", 0, settings_.profile.cycles);
  reader.require(profiles_ != nullptr || cycles == 0, "there are autoencoders, but the pipeline has none");
  for (std::int64_t l = 0; l < cycles; ++l) {
    best.cycles.push_back(read_cycle(reader, fmt::format("best.cycle{}", l), *components_.autoencoder,
                                     settings_.profile.length, settings_.profile.length, images_.size()));
  }
  // Better known now than at the end of the run, if it cannot be read.
  best.predictor = load_part(reader, *components_.predictor, "best.predictor");
  if (components_.sampler) best.sampler = load_part(reader, *components_.sampler, "best.sampler");
  const auto& folds = predictors_->folds;
  best.folds = folds ? folds->load_models(reader, "best.folds") : read_folds(reader, "best.folds", 0);
  best.prior_log_odds = predictors_->predictor.prior_log_odds();
  best_ = std::move(best);
}

}  // namespace nbs::training
