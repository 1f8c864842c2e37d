// SPDX-License-Identifier: Apache-2.0
#include "nbs/plugin.h"

// It derives from one kind and says that it is another.
class Liar : public nbs::Sampler {
 public:
  static constexpr nbs::Kind kKind = nbs::Kind::predictor;
  struct Options {
    static void declare(nbs::Schema<Options>&) {}
  };
  Liar(const Options&, nbs::Context&) {}
  nbs::Rollout sample(nbs::Scene&, std::int64_t) override { return {}; }
};

NBS_PLUGIN("liar", "0.1.0") {
  registrar.add<Liar>("liar", "It must not compile.");
}
