// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "autoencoder.h"

NBS_PLUGIN("conv", "1.0.0") {
  registrar.add<nbs::conv::ConvAutoencoder>("conv",
                                            "Strided convolutions to a 1x1xB bottleneck and back, squared error");
}
