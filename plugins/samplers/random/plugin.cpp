// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "sampler.h"

NBS_PLUGIN("random", "1.0.0") {
  registrar.add<nbs::random_sampler::RandomSampler>("random", "Uniformly random patches of all images");
}
