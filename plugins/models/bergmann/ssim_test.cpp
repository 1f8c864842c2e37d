// SPDX-License-Identifier: Apache-2.0
#include "ssim.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "nbs/error.h"
#include "nbs/torch_compat.h"

#include "torch_test.h"

namespace {

using nbs::bergmann::Ssim;
using nbs::bergmann::Weights;

constexpr double kC1 = 1e-4;
constexpr double kC2 = 9e-4;

// Wang et al. 2004, Eq. 13 to 16, written out for one pixel of maps [H, W] in float64. Variances and covariance from
// differences to the mean, not from mean squares.
double direct(const torch::Tensor& x, const torch::Tensor& y, std::int64_t row, std::int64_t column,
              std::int64_t window, bool gaussian) {
  const auto a = x.accessor<double, 2>();
  const auto b = y.accessor<double, 2>();
  const std::int64_t radius = window / 2;
  const auto sum = [&](const auto& term) {
    double total = 0;
    double weights = 0;
    for (std::int64_t i = row - radius; i <= row + radius; ++i) {
      for (std::int64_t j = column - radius; j <= column + radius; ++j) {
        if (i < 0 || j < 0 || i >= x.size(0) || j >= x.size(1)) continue;
        const double squared = static_cast<double>((i - row) * (i - row) + (j - column) * (j - column));
        const double weight = gaussian ? std::exp(-squared / (2 * 1.5 * 1.5)) : 1;
        total += weight * term(a[i][j], b[i][j]);
        weights += weight;
      }
    }
    return total / weights;
  };
  const double mean_a = sum([](double p, double) { return p; });
  const double mean_b = sum([](double, double q) { return q; });
  const double variance_a = sum([&](double p, double) { return (p - mean_a) * (p - mean_a); });
  const double variance_b = sum([&](double, double q) { return (q - mean_b) * (q - mean_b); });
  const double covariance = sum([&](double p, double q) { return (p - mean_a) * (q - mean_b); });
  return (2 * mean_a * mean_b + kC1) * (2 * covariance + kC2) /
         ((mean_a * mean_a + mean_b * mean_b + kC1) * (variance_a + variance_b + kC2));
}

torch::Tensor noise(std::vector<std::int64_t> shape, std::uint64_t seed) {
  auto generator = nbs::make_generator(seed);
  return torch::rand(shape, generator, torch::kFloat64);
}

}  // namespace

TEST_CASE("SSIM is the published formula, at every pixel and at the border") {
  const auto x = noise({2, 3, 17, 14}, 1);
  const auto y = 0.6 * x + 0.4 * noise({2, 3, 17, 14}, 2);
  for (const Weights weights : {Weights::uniform, Weights::gaussian}) {
    for (const std::int64_t window : {1, 3, 11, 31}) {
      CAPTURE(weights);
      CAPTURE(window);
      const Ssim ssim(window, weights, kC1, kC2);
      const auto map = ssim.map(x, y);
      const auto single = ssim.map(x.to(torch::kFloat32), y.to(torch::kFloat32));
      REQUIRE(map.sizes() == x.sizes());
      REQUIRE(single.dtype() == torch::kFloat32);
      double worst = 0;
      double worst_single = 0;
      for (std::int64_t b = 0; b < 2; ++b) {
        for (std::int64_t c = 0; c < 3; ++c) {
          for (std::int64_t row = 0; row < 17; ++row) {
            for (std::int64_t column = 0; column < 14; ++column) {
              const double expected = direct(x[b][c], y[b][c], row, column, window, weights == Weights::gaussian);
              worst = std::max(worst, std::abs(map[b][c][row][column].item<double>() - expected));
              worst_single = std::max(worst_single, std::abs(single[b][c][row][column].item<double>() - expected));
            }
          }
        }
      }
      CHECK(worst < 1e-10);
      CHECK(worst_single < 2e-3);
    }
  }
}

TEST_CASE("SSIM in closed form: equal maps, flat maps, and a map against its negative") {
  const Ssim ssim(11, Weights::uniform, kC1, kC2);
  const auto x = noise({1, 1, 20, 20}, 3);
  CHECK((ssim.map(x, x) - 1).abs().max().item<double>() < 1e-12);
  const auto flat =
      ssim.map(torch::full({1, 1, 15, 15}, 0.2, torch::kFloat64), torch::full({1, 1, 15, 15}, 0.7, torch::kFloat64));
  CHECK((flat - (2 * 0.2 * 0.7 + kC1) / (0.04 + 0.49 + kC1)).abs().max().item<double>() < 1e-9);
  // Alternating 0 and 1 against 1 and 0, where the window is full: means 61/121 and 60/121 or the other way round,
  // variances 61 60 / 121^2, covariance the negative of it.
  auto board = torch::zeros({1, 1, 21, 21}, torch::kFloat64);
  for (std::int64_t i = 0; i < 21; ++i) {
    for (std::int64_t j = 0; j < 21; ++j)
      board[0][0][i][j] = static_cast<double>((i + j) % 2);
  }
  const double m = 61.0 / 121;
  const double n = 60.0 / 121;
  const double expected = (2 * m * n + kC1) * (-2 * m * n + kC2) / ((m * m + n * n + kC1) * (2 * m * n + kC2));
  CHECK(ssim.map(board, 1 - board)[0][0][10][10].item<double>() == doctest::Approx(expected).epsilon(1e-9));
}

TEST_CASE("the gradient of SSIM agrees with finite differences, for both maps") {
  for (const Weights weights : {Weights::uniform, Weights::gaussian}) {
    CAPTURE(weights);
    const Ssim ssim(5, weights, kC1, kC2);
    auto x = noise({1, 2, 7, 6}, 4).requires_grad_();
    auto y = noise({1, 2, 7, 6}, 5).requires_grad_();
    // Another weight for every pixel, so that errors cannot cancel.
    const auto importance = noise({1, 2, 7, 6}, 6);
    const auto value = [&](const torch::Tensor& a, const torch::Tensor& b) {
      return (importance * ssim.map(a, b)).sum();
    };
    value(x, y).backward();
    torch::NoGradGuard no_grad;
    constexpr double kStep = 1e-6;
    for (auto* changed : {&x, &y}) {
      auto values = changed->detach().view({-1});
      const auto gradient = changed->grad().view({-1});
      double worst = 0;
      for (std::int64_t i = 0; i < values.numel(); ++i) {
        const double before = values[i].item<double>();
        values[i] = before + kStep;
        const double above = value(x, y).item<double>();
        values[i] = before - kStep;
        const double below = value(x, y).item<double>();
        values[i] = before;
        worst = std::max(worst, std::abs((above - below) / (2 * kStep) - gradient[i].item<double>()));
      }
      CHECK(worst < 1e-6);
      CHECK(gradient.abs().max().item<double>() > 0.1);
    }
  }
}

TEST_CASE("an even window is refused") {
  CHECK_THROWS_WITH_AS(Ssim(10, Weights::uniform, kC1, kC2),
                       "window is 10, but must be odd, so that a pixel lies in the middle of its window; use 9 or 11",
                       nbs::Error);
}
