// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "postprocessor.h"

NBS_PLUGIN("dense_crf", "1.0.0") {
  registrar.add<nbs::crf::DenseCrf>("dense_crf", "Fully connected CRF over position and color (two labels)");
}
