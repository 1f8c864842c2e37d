// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/options.h"

namespace nbs::conv {

struct Options {
  std::vector<std::int64_t> channels = {16, 32, 64};
  std::int64_t bottleneck = 32;
  std::vector<std::int64_t> shortcuts;
  double learning_rate = 2e-3;
  double weight_decay = 0;

  static void declare(nbs::Schema<Options>& s) {
    s.add("channels", &Options::channels)
        .range(1, 4096)
        .doc(
            "Channels of the encoder's levels, outermost first; each level halves the patch. The decoder mirrors "
            "it.");
    s.add("bottleneck", &Options::bottleneck).range(1, 65536).doc("B: numbers that a patch is squeezed into.");
    s.add("shortcuts", &Options::shortcuts)
        .range(1, 8)
        .doc("Levels (1 = outermost) whose encoder output is added to the decoder's input of the same size.");
    s.add("learning_rate", &Options::learning_rate).range(1e-8, 10).doc("Adam's step size.");
    s.add("weight_decay", &Options::weight_decay).range(0, 1).doc("L2 penalty, added to the gradient.");
  }
};

}  // namespace nbs::conv
