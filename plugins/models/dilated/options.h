// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/network_predictor.h"
#include "nbs/options.h"

namespace nbs::dilated {

struct Options : NetworkPredictorOptions {
  std::vector<std::int64_t> dilations = {1, 2, 4, 8, 1};
  std::int64_t channels = 24;

  Options() {
    inputs = {PredictorSees::profile};
    learning_rate = 2e-3;
  }

  static void declare(Schema<Options>& s) {
    declare_inputs(s, "What it sees: the loss profile (the paper), the image, or both.");
    s.add("dilations", &Options::dilations)
        .range(1, 128)
        .doc("Dilation of each 3x3 layer; the receptive field is 1 + 2 x their sum, in pixels.");
    s.add("channels", &Options::channels).range(1, 1024).doc("Channels of each layer.");
    declare_layers(s, "Batch normalization after each layer, or none.",
                   "Share of channels set to 0 before the last layer while learning.");
    declare_learning(s);
  }
};

}  // namespace nbs::dilated
