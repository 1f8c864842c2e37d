// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/config/sections.h"
#include "nbs/data/options.h"

namespace nbs::training {

/// The sections of a pipeline that training reads.
struct Settings {
  config::ProfileOptions profile;
  config::RewardOptions reward;
  config::BufferOptions buffer;
  config::TrainOptions train;
  data::AugmentOptions augment;
  double fold_steps = 1;  ///< evaluation.fold_steps
};

}  // namespace nbs::training
