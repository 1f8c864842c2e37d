// SPDX-License-Identifier: Apache-2.0
// A sampler that its library calls a predictor, past what the compiler refuses.
#include "nbs/plugin.h"

namespace {

class LyingSampler : public nbs::Sampler {
 public:
  struct Options {
    static void declare(nbs::Schema<Options>&) {}
  };
  LyingSampler(const Options&, nbs::Context&) {}
  nbs::Rollout sample(nbs::Scene&, std::int64_t) override { return {}; }
};

}  // namespace

NBS_PLUGIN("liar", "1.0.0") {
  registrar.add<LyingSampler>("liar", "No predictor at all");
  const_cast<nbs::Registration&>(registrar.registrations().back()).kind = nbs::Kind::predictor;
}
