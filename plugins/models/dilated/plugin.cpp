// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "predictor.h"

NBS_PLUGIN("dilated", "1.0.0") {
  registrar.add<nbs::dilated::DilatedPredictor>("dilated", "Dilated convolutions over loss profiles, images, or both");
}
