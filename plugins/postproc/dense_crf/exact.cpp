// SPDX-License-Identifier: Apache-2.0
#include "exact.h"

#include <cmath>
#include <functional>
#include <string>

#include "nbs/error.h"
#include "nbs/multiversion.h"

#include "vector_math.h"

namespace nbs::crf {

namespace {

// sum_j exp(-|f - f_j|^2 / 2) in_j over one row of pixels; features [5][pixels] are divided by their sigmas.
NBS_MULTIVERSION
double sum_row(const double* features, std::int64_t pixels, std::int64_t first, std::int64_t width,
               const double* center, const double* in) {
  constexpr int kParts = 8;
  double parts[kParts] = {};
  const double dy = features[pixels + first] - center[1];
  const auto term = [&](std::int64_t j) __attribute__((always_inline)) {
    double square = dy * dy;
    for (const int c : {0, 2, 3, 4}) {
      const double difference = features[c * pixels + j] - center[c];
      square += difference * difference;
    }
    return exponential(-0.5 * square) * in[j];
  };
  std::int64_t j = first;
  for (; j + kParts <= first + width; j += kParts) {
    for (int l = 0; l < kParts; ++l)
      parts[l] += term(j + l);
  }
  double sum = 0;
  for (; j < first + width; ++j)
    sum += term(j);
  for (const double part : parts)
    sum += part;
  return sum;
}

using Sums = std::function<std::vector<double>(const std::vector<double>&)>;

struct NormalizedKernel {
  double weight;
  Sums sums;
  std::vector<double> before;
  std::vector<double> after;

  NormalizedKernel(double its_weight, std::int64_t pixels, Normalization normalization, Sums its_sums)
      : weight(its_weight), sums(std::move(its_sums)) {
    before.assign(static_cast<std::size_t>(pixels), 1.0);
    after = before;
    if (normalization == Normalization::none) return;
    auto factors = sums(before);
    for (double& n : factors)
      n = 1 / (normalization == Normalization::symmetric ? std::sqrt(n + 1e-20) : n + 1e-20);
    if (normalization != Normalization::after) before = factors;
    if (normalization != Normalization::before) after = factors;
  }

  void add_message(const std::vector<double>& s, std::vector<double>& z) const {
    std::vector<double> in(s.size());
    for (std::size_t i = 0; i < s.size(); ++i)
      in[i] = before[i] * s[i];
    const auto out = sums(in);
    for (std::size_t i = 0; i < s.size(); ++i)
      z[i] += weight * after[i] * out[i];
  }
};

}  // namespace

std::vector<double> exact_smoothness(const Parameters& parameters, const Image& image, const std::vector<double>& in) {
  // Along rows, then along columns: position alone separates.
  const auto pass = [](std::int64_t length, std::int64_t lines, std::int64_t step, std::int64_t line_step, double sigma,
                       const std::vector<double>& from) {
    std::vector<double> taps(static_cast<std::size_t>(length));
    for (std::int64_t t = 0; t < length; ++t)
      taps[t] = std::exp(-0.5 * static_cast<double>(t * t) / (sigma * sigma));
    std::vector<double> to(from.size());
    for (std::int64_t line = 0; line < lines; ++line) {
      for (std::int64_t i = 0; i < length; ++i) {
        double sum = 0;
        for (std::int64_t j = 0; j < length; ++j)
          sum += taps[i > j ? i - j : j - i] * from[line * line_step + j * step];
        to[line * line_step + i * step] = sum;
      }
    }
    return to;
  };
  const auto rows = pass(image.width, image.height, 1, image.width, parameters.smoothness.x, in);
  return pass(image.height, image.width, image.width, 1, parameters.smoothness.y, rows);
}

std::vector<double> exact_appearance(const Parameters& parameters, const Image& image, const std::vector<double>& in) {
  const std::int64_t pixels = image.pixels();
  std::vector<double> features(static_cast<std::size_t>(5 * pixels));
  for (std::int64_t i = 0; i < pixels; ++i) {
    const std::int64_t row = i / image.width;
    features[i] = static_cast<double>(i % image.width) / parameters.appearance.x;
    features[pixels + i] = static_cast<double>(row) / parameters.appearance.y;
    for (int c = 0; c < 3; ++c) {
      features[(2 + c) * pixels + i] =
          static_cast<double>(image.planes[c * pixels + i]) * image.levels / parameters.appearance.color[c];
    }
  }
  std::vector<double> out(static_cast<std::size_t>(pixels));
  for (std::int64_t i = 0; i < pixels; ++i) {
    double center[5];
    for (int c = 0; c < 5; ++c)
      center[c] = features[c * pixels + i];
    for (std::int64_t y = 0; y < image.height; ++y)
      out[i] += sum_row(features.data(), pixels, y * image.width, image.width, center, in.data());
  }
  return out;
}

std::vector<double> exact_mean_field(const Parameters& parameters, const Image& image,
                                     const std::vector<double>& log_odds) {
  check(image);
  if (image.pixels() > kExactPixels) {
    throw Error("the CRF's mode \"exact\" compares all pairs of pixels and takes at most " +
                std::to_string(kExactPixels) + " pixels, but the image has " + std::to_string(image.pixels()) + " (" +
                std::to_string(image.width) + " x " + std::to_string(image.height) + "); use mode \"lattice\"");
  }
  std::vector<NormalizedKernel> kernels;
  const auto add = [&](double weight, auto sums_of) {
    if (weight == 0 || parameters.iterations == 0) return;
    kernels.emplace_back(weight, image.pixels(), parameters.normalization,
                         [&parameters, &image, sums_of](const auto& in) { return sums_of(parameters, image, in); });
  };
  add(parameters.smoothness.weight, exact_smoothness);
  add(parameters.appearance.weight, exact_appearance);
  std::vector<double> z = log_odds;
  std::vector<double> s(z.size());
  for (std::int64_t iteration = 0; iteration < parameters.iterations; ++iteration) {
    for (std::size_t i = 0; i < z.size(); ++i)
      s[i] = half_tanh(z[i]);
    z = log_odds;
    for (const auto& kernel : kernels)
      kernel.add_message(s, z);
  }
  return z;
}

}  // namespace nbs::crf
