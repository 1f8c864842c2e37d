// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/checkpoint.h"

namespace nbs::training {

double CheckpointSelector::smooth(double loss) {
  if (options_.smoothing == config::Smoothing::none) return loss;
  const double past = options_.smoothing_factor;
  average_ = past * average_ + (1 - past) * loss;
  weight_ = past * weight_ + (1 - past);
  return average_ / weight_;
}

CheckpointSelector::Verdict CheckpointSelector::judge(double smoothed) {
  Verdict verdict;
  verdict.lowest = !lowest_ || smoothed < *lowest_;
  verdict.keep = verdict.lowest || options_.selection == config::Selection::last;
  if (verdict.lowest) lowest_ = smoothed;
  return verdict;
}

void CheckpointSelector::reset() {
  average_ = 0;
  weight_ = 0;
  lowest_.reset();
}

void CheckpointSelector::save(StateWriter& writer) const {
  writer.number("selector.average", average_);
  writer.number("selector.weight", weight_);
  if (lowest_) writer.number("selector.lowest", *lowest_);
}

void CheckpointSelector::load(const StateReader& reader) {
  average_ = reader.number("selector.average");
  weight_ = reader.number("selector.weight");
  lowest_.reset();
  if (reader.has("selector.lowest")) lowest_ = reader.number("selector.lowest");
}

}  // namespace nbs::training
