// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/moment.h"

namespace nbs::training {

double MomentSelector::smooth(double loss) {
  if (options_.smoothing == config::Smoothing::none) return loss;
  const double past = options_.smoothing_factor;
  average_ = past * average_ + (1 - past) * loss;
  weight_ = past * weight_ + (1 - past);
  return average_ / weight_;
}

MomentSelector::Verdict MomentSelector::judge(double smoothed) {
  Verdict verdict;
  verdict.lowest = !lowest_ || smoothed < *lowest_;
  verdict.keep = verdict.lowest || options_.selection == config::Selection::last;
  if (verdict.lowest) lowest_ = smoothed;
  return verdict;
}

}  // namespace nbs::training
