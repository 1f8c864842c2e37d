// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <string>

#include "nbs/plugin.h"

#include "filters.h"

namespace {

/// What the pixels of a suppressed component get.
enum class Suppressed { zero, below };

struct Options {
  double threshold = 0.5;
  std::int64_t min_area = 0;
  std::int64_t closing_radius = 0;
  Suppressed suppressed = Suppressed::zero;

  static void declare(nbs::Schema<Options>& s) {
    s.add("threshold", &Options::threshold)
        .range(1e-6, 1)
        .doc("Components are those of the map at this probability. Use the threshold of the evaluation.");
    s.add("min_area", &Options::min_area)
        .range(0, 1 << 30)
        .tune({0, 10, 30, 100})
        .doc("Components of fewer pixels (8 neighbors) are suppressed; 0 or 1 keeps all.");
    s.add("closing_radius", &Options::closing_radius)
        .range(0, 256)
        .tune({0, 1, 2})
        .doc(
            "Gray closing of the probabilities with a square of 2 x this + 1 pixels, before components are counted; 0 "
            "= none.");
    s.add("suppressed", &Options::suppressed)
        .choices({{"zero", Suppressed::zero}, {"below", Suppressed::below}})
        .doc(
            "What pixels of a suppressed component get: probability 0, or the largest number below the threshold, "
            "which "
            "keeps them ahead of the background in rankings.");
  }
};

/// Closes gaps and removes specks in probability maps.
class Morphology : public nbs::Postprocessor {
 public:
  using Options = ::Options;

  Morphology(const Options& options, nbs::Context&) : options_(options) {}

  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor&) override {
    auto result = probabilities.to(torch::kCPU, torch::kFloat32).clone(at::MemoryFormat::Contiguous);
    const std::int64_t height = result.size(1);
    const std::int64_t width = result.size(2);
    if (result.numel() == 0) return result;
    const auto threshold = static_cast<float>(options_.threshold);
    const float suppressed = options_.suppressed == Suppressed::below ? std::nextafter(threshold, 0.0F) : 0.0F;
    for (std::int64_t i = 0; i < result.size(0); ++i) {
      float* const map = result.data_ptr<float>() + i * height * width;
      nbs::morphology::close_gaps(map, height, width, options_.closing_radius);
      nbs::morphology::remove_small(map, height, width, threshold, options_.min_area, suppressed);
    }
    return result;
  }

 private:
  Options options_;
};

}  // namespace

NBS_PLUGIN("morphology", "1.0.0") {
  registrar.add<Morphology>("morphology", "Closes gaps and removes small components of probability maps");
}
