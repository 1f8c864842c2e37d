// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "predictor.h"

NBS_PLUGIN("unet", "1.0.0") {
  registrar.add<nbs::unet::UnetPredictor>("unet", "U-Net on the image alone, learned from labeled images");
}
