#pragma once

#include <cstdint>
#include <vector>

#include "nbs/plugin.h"

namespace @name@_plugin {

/// The mean of the probabilities around each pixel. Change it into yours.
class @type@ : public nbs::Postprocessor {
 public:
  struct Options {
    std::int64_t radius = 1;

    static void declare(nbs::Schema<Options>& s) {
      s.add("radius", &Options::radius)
          .range(0, 64)
          .tune({0, 1, 2})
          .doc("The mean is that of a square of 2 x this + 1 pixels, as far as it lies in the image.");
    }
  };

  @type@(const Options& options, nbs::Context&) : options_(options) {}

  /// Probabilities [N, H, W] and images [N, 3, H, W]; neither is written to.
  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor&) override {
    const auto height = probabilities.size(1);
    const auto width = probabilities.size(2);
    auto sum = torch::zeros_like(probabilities);
    auto count = torch::zeros({height, width});
    for (std::int64_t dy = -options_.radius; dy <= options_.radius; ++dy) {
      for (std::int64_t dx = -options_.radius; dx <= options_.radius; ++dx) {
        if (dy <= -height || dy >= height || dx <= -width || dx >= width) continue;
        part(sum, -dy, -dx).add_(part(probabilities, dy, dx));
        part(count, -dy, -dx).add_(1);
      }
    }
    return sum.div_(count).clamp_(0, 1);
  }

 private:
  // The pixels of maps […, H, W] that are still inside after a step by (dy, dx): a view of the same numbers.
  static torch::Tensor part(const torch::Tensor& maps, std::int64_t dy, std::int64_t dx) {
    const auto cut = [](const torch::Tensor& map, std::int64_t dimension, std::int64_t step) {
      const auto size = map.size(dimension);
      return step >= 0 ? map.slice(dimension, step, size) : map.slice(dimension, 0, size + step);
    };
    return cut(cut(maps, maps.dim() - 2, dy), maps.dim() - 1, dx);
  }

  Options options_;
};

}  // namespace @name@_plugin
