// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

// Its check would never be called.
class Unchecked : public nbs::Sampler {
 public:
  struct Options {
    static void declare(nbs::Schema<Options>&) {}
  };
  Unchecked(const Options&, nbs::Context&) {}
  static void check(const Options&) {}
  nbs::Rollout sample(nbs::Scene&, std::int64_t) override { return {}; }
};

NBS_PLUGIN("unchecked", "0.1.0") {
  registrar.add<Unchecked>("unchecked", "It must not compile.");
}
