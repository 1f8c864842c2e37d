// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "sampler.h"

NBS_PLUGIN("rl", "1.0.0") {
  registrar.add<nbs::rl::RlSampler>("rl", "Neural batch sampler: a policy network trained by REINFORCE");
}
