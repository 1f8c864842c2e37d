// SPDX-License-Identifier: Apache-2.0
// A registration that the host must refuse: one name twice, or a default outside of its range.
#include "nbs/plugin.h"

namespace {

class Filter : public nbs::Postprocessor {
 public:
  struct Options {
#ifdef NBS_TEST_TWICE
    std::int64_t radius = 3;
#else
    std::int64_t radius = 30;
#endif
    static void declare(nbs::Schema<Options>& s) {
      s.add("radius", &Options::radius).range(1, 8).doc("Pixels.");
    }
  };
  Filter(const Options&, nbs::Context&) {}
  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor&) override {
    return probabilities;
  }
};

}  // namespace

NBS_PLUGIN("registers", "1.0.0") {
  registrar.add<Filter>("filter", "Gives back what it gets");
#ifdef NBS_TEST_TWICE
  registrar.add<Filter>("filter", "The same again");
#endif
}
