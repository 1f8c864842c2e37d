// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nbs/network_predictor.h"
#include "nbs/options.h"

namespace nbs::unet {

/// How the weight of the Dice loss changes from the first step of a run to the last.
enum class DiceSchedule { constant, rising };

struct Options : NetworkPredictorOptions {
  std::int64_t depth = 4;
  std::int64_t width = 16;
  double dice = 0;
  DiceSchedule dice_schedule = DiceSchedule::constant;

  Options() { inputs = {PredictorSees::image}; }

  static void declare(Schema<Options>& s) {
    declare_inputs(s, "What it sees: the image (the paper's baseline), the loss profile, or both.");
    s.add("depth", &Options::depth).range(1, 8).doc("Times that the encoder halves the image.");
    s.add("width", &Options::width)
        .range(1, 1024)
        .doc("Channels at full size; each halving of the image doubles them.");
    declare_layers(s, "Batch normalization after each 3x3 convolution, or none.",
                   "Share of channels set to 0 at the end of the encoder while learning.");
    s.add("dice", &Options::dice)
        .range(0, 1000)
        .doc("Weight of the soft Dice loss that is added to the weighted cross entropy (Eq. 2).");
    s.add("dice_schedule", &Options::dice_schedule)
        .choices({{"constant", DiceSchedule::constant}, {"rising", DiceSchedule::rising}})
        .doc(
            "Whether that weight stays, or rises evenly from 0 to `dice` over the steps of the run: what is tiny is "
            "found by the cross entropy first, and outlined by Dice then.");
    declare_learning(s);
  }
};

}  // namespace nbs::unet
