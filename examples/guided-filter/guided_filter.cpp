// SPDX-License-Identifier: Apache-2.0

#include "nbs/plugin.h"
#include "nbs/tensor.h"

namespace {

/// The guided filter (He, Sun and Tang 2013): in every window the new probabilities are a linear function of the gray
/// image, so they become smooth within surfaces and keep the image's edges.
class GuidedFilter : public nbs::Postprocessor {
 public:
  struct Options {
    std::int64_t radius = 4;
    double epsilon = 0.01;

    static void declare(nbs::Schema<Options>& s) {
      s.add("radius", &Options::radius)
          .range(1, 256)
          .tune({2, 4, 8})
          .doc("A window reaches so many pixels to each side.");
      s.add("epsilon", &Options::epsilon)
          .range(1e-6, 1)
          .tune({0.0001, 0.01})
          .doc("Variance of the gray values, of 0 to 1, below which a window counts as flat and is averaged.");
    }
  };

  GuidedFilter(const Options& options, nbs::Context&) : options_(options) {}

  torch::Tensor apply(const torch::Tensor& probabilities, const torch::Tensor& images) override {
    const torch::NoGradGuard no_grad;
    auto result = torch::empty_like(probabilities);
    for (std::int64_t i = 0; i < probabilities.size(0); ++i)
      result[i] = filtered(probabilities[i].to(torch::kFloat64), images[i].to(torch::kFloat64).mean(0));
    return result.clamp_(0, 1);
  }

 private:
  // Eq. 5 to 8 of the paper, for one map p [H, W] and its guide [H, W]. In double precision, as a difference of squares
  // is taken.
  torch::Tensor filtered(const torch::Tensor& p, const torch::Tensor& guide) const {
    const auto mean = window_mean(guide);
    const auto mean_p = window_mean(p);
    const auto variance = window_mean(guide * guide) - mean * mean;
    const auto covariance = window_mean(guide * p) - mean * mean_p;
    const auto a = covariance / (variance + options_.epsilon);
    const auto b = mean_p - a * mean;
    return window_mean(a) * guide + window_mean(b);
  }

  // The mean over the part of the window that lies in the map: row sums of columns, then of rows, whatever the radius.
  torch::Tensor window_mean(const torch::Tensor& map) const { return along(along(map, 0), 1); }

  torch::Tensor along(const torch::Tensor& map, std::int64_t dimension) const {
    const std::int64_t length = map.size(dimension);
    auto shape = map.sizes().vec();
    shape[static_cast<std::size_t>(dimension)] = 1;
    const auto sums = torch::cat({torch::zeros(shape, map.options()), map.cumsum(dimension)}, dimension);
    const auto at = torch::arange(length);
    const auto first = (at - options_.radius).clamp_min(0);
    const auto last = (at + options_.radius + 1).clamp_max(length);
    auto column = std::vector<std::int64_t>{1, 1};
    column[static_cast<std::size_t>(dimension)] = length;
    return (sums.index_select(dimension, last) - sums.index_select(dimension, first)) / (last - first).view(column);
  }

  Options options_;
};

}  // namespace

NBS_PLUGIN("guided_filter", "1.0.0") {
  registrar.add<GuidedFilter>("guided_filter", "Smooths probabilities within surfaces and keeps the image's edges");
}
