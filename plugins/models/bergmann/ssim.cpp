// SPDX-License-Identifier: Apache-2.0
#include "ssim.h"

#include <algorithm>
#include <cmath>

#include "nbs/error.h"
#include "nbs/tensor.h"

namespace nbs::bergmann {

namespace {

constexpr double kDeviation = 1.5;  // pixels, Wang et al. 2004

}  // namespace

Ssim::Ssim(std::int64_t window, Weights weights, double c1, double c2)
    : radius_(window / 2), gaussian_(weights == Weights::gaussian), c1_(c1), c2_(c2) {
  if (window % 2 == 0) {
    throw Error("window is " + std::to_string(window) +
                ", but must be odd, so that a pixel lies in the middle of its window; use " +
                std::to_string(window - 1) + " or " + std::to_string(window + 1));
  }
}

torch::Tensor Ssim::averaging(std::int64_t size, const torch::Tensor& like) const {
  auto weights = torch::zeros({size, size}, torch::kFloat64);
  auto rows = weights.accessor<double, 2>();
  for (std::int64_t i = 0; i < size; ++i) {
    double total = 0;
    for (std::int64_t j = std::max<std::int64_t>(0, i - radius_); j <= std::min(size - 1, i + radius_); ++j) {
      const double distance = static_cast<double>(i - j) / kDeviation;
      rows[i][j] = gaussian_ ? std::exp(-0.5 * distance * distance) : 1;
      total += rows[i][j];
    }
    for (std::int64_t j = 0; j < size; ++j)
      rows[i][j] /= total;
  }
  return weights.to(like.options());
}

torch::Tensor Ssim::map(const torch::Tensor& x, const torch::Tensor& y) const {
  // Both kinds of window are products of a vertical and a horizontal part, so a local mean is a product with a banded
  // matrix from either side: plain matrix products, back and forth.
  const std::int64_t height = x.size(2);
  const std::int64_t width = x.size(3);
  const auto horizontal = averaging(width, x).t();
  const auto vertical = averaging(height, x).t();
  const auto local_mean = [&](const torch::Tensor& maps) {
    const auto rows = torch::mm(maps.reshape({-1, width}), horizontal).view({-1, height, width});
    const auto columns = torch::mm(rows.transpose(1, 2).reshape({-1, height}), vertical).view({-1, width, height});
    return columns.transpose(1, 2).view(maps.sizes());
  };
  // The variances only enter as their sum, so one map serves both.
  const auto mean_x = local_mean(x);
  const auto means = local_mean(torch::stack({y, x * x + y * y, x * y}));
  const auto mean_y = means[0];
  const auto product = mean_x * mean_y;
  const auto squares = mean_x * mean_x + mean_y * mean_y;
  const auto covariance = means[2] - product;
  const auto variances = means[1] - squares;
  return (2 * product + c1_) * (2 * covariance + c2_) / ((squares + c1_) * (variances + c2_));
}

}  // namespace nbs::bergmann
