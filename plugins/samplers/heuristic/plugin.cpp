// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

#include "sampler.h"

NBS_PLUGIN("heuristic", "1.0.0") {
  registrar.add<nbs::heuristic_sampler::HeuristicSampler>("heuristic",
                                                          "Random patches of labeled images without anomalous pixels");
}
