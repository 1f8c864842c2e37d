// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "late_fusion/predictor.h"

NBS_PLUGIN("late_fusion", "1.0.0") {
  registrar.add<nbs::late_fusion::LateFusionPredictor>(
      "late_fusion", "Mean of dilated convolutions over loss profiles and a U-Net over the image");
}
