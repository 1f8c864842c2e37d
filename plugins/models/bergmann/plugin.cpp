// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "autoencoder.h"

NBS_PLUGIN("bergmann", "1.0.0") {
  registrar.add<nbs::bergmann::BergmannAutoencoder>(
      "bergmann", "Autoencoder of Bergmann et al. 2018 for patches of 128 pixels, squared error or SSIM");
}
