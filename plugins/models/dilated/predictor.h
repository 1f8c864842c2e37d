// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/network_predictor.h"

#include "network.h"
#include "options.h"

namespace nbs::dilated {

/// The paper's predictor: dilated convolutions over loss profiles.
class DilatedPredictor : public NetworkPredictor<Network> {
 public:
  using Options = dilated::Options;

  DilatedPredictor(const Options& options, Context& context)
      : NetworkPredictor(Network(PredictorFeatures(options.inputs, context).channels(), options), options, context) {}
};

}  // namespace nbs::dilated
