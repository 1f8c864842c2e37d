// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/divergence.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace nbs::training {

void require_finite(double loss, const char* what, std::int64_t iteration, const char* likely_cause) {
  if (std::isfinite(loss)) return;
  throw Diverged(
      fmt::format("{} became {} in iteration {}; the likely cause is {}", what, loss, iteration, likely_cause));
}

void LossWatch::begin_cycle() {
  first_.reset();
  streak_ = 0;
}

void LossWatch::save(StateWriter& writer) const {
  if (first_) writer.number("loss_watch.first", *first_);
  writer.integer("loss_watch.streak", streak_);
}

void LossWatch::load(const StateReader& reader) {
  first_.reset();
  if (reader.has("loss_watch.first")) first_ = reader.number("loss_watch.first");
  streak_ = reader.integer("loss_watch.streak", 0, kPatience);
}

void LossWatch::see_batch(double loss) {
  if (!first_) first_ = loss;
}

double LossWatch::bound() const {
  return kFactor * std::max(1.0, std::abs(first_.value_or(0)));
}

std::optional<std::string> LossWatch::see_iteration(std::int64_t iteration, double loss, bool last) {
  streak_ = loss > bound() ? streak_ + 1 : 0;
  if (streak_ == 0 || (streak_ < kPatience && !last)) return std::nullopt;
  return fmt::format(
      "the autoencoder's loss is {:.3g} in iteration {} and has been above {:.3g} since iteration {}, but it began at "
      "{:.3g} and images are in [0, 1], so it reconstructs nothing; the likely cause is a learning rate of the "
      "autoencoder that is too high",
      loss, iteration, bound(), iteration - streak_ + 1, first_.value_or(0));
}

}  // namespace nbs::training
