// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "predictor.h"

NBS_PLUGIN("threshold", "1.0.0") {
  registrar.add<nbs::threshold::ThresholdPredictor>("threshold",
                                                    "The newest loss map itself as the sign of an anomaly");
}
