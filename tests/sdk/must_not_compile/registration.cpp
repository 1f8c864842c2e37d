// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

// It derives from none of the kinds of plugin.
class Lonely {
 public:
  struct Options {
    static void declare(nbs::Schema<Options>&) {}
  };
  Lonely(const Options&, nbs::Context&) {}
};

NBS_PLUGIN("lonely", "0.1.0") {
  registrar.add<Lonely>("lonely", "It must not compile.");
}
