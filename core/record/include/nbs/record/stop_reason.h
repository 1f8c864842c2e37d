// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/options.h"

namespace nbs::record {

/// Why training stopped.
enum class StopReason {
  finished,     ///< after the last iteration
  patience,     ///< l_pred had not improved for train.patience iterations
  interrupted,  ///< by a signal
  diverged      ///< a loss was no longer a finite number
};

/// The reasons by the names that results use.
inline ChoiceNames<StopReason> stop_reasons() {
  return {{"finished", StopReason::finished},
          {"patience", StopReason::patience},
          {"interrupted", StopReason::interrupted},
          {"diverged", StopReason::diverged}};
}

/// Whether the run went as far as its pipeline says.
inline bool is_finished(StopReason reason) {
  return reason == StopReason::finished || reason == StopReason::patience;
}

}  // namespace nbs::record
