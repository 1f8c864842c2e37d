// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nbs/data/npy.h"

#include "parameters.h"

namespace nbs::test {

/// One case of the reference vectors in tests/data/crf: inputs, parameters and the arrays to compare with.
struct VectorCase {
  std::string name;
  crf::Parameters parameters;
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<float> planes;     // [3, H, W], 0..255
  std::vector<double> log_odds;  // [H, W]: U(0) - U(1)
  std::vector<std::int64_t> iterations;

  static std::filesystem::path folder() { return std::filesystem::path(NBS_SOURCE_DIR) / "tests" / "data" / "crf"; }

  std::vector<double> array(const std::string& suffix) const {
    return data::read_npy(folder() / (name + "_" + suffix + ".npy")).values;
  }
  crf::Image image() const { return {planes.data(), height, width, 1.0F}; }
  std::int64_t pixels() const { return height * width; }

  static std::vector<VectorCase> all() {
    std::ifstream file(folder() / "manifest.json");
    const auto manifest = nlohmann::json::parse(file);
    std::vector<VectorCase> cases;
    for (const auto& entry : manifest.at("cases")) {
      VectorCase one;
      one.name = entry.at("name");
      one.width = entry.at("width");
      one.height = entry.at("height");
      one.iterations = entry.at("iterations").get<std::vector<std::int64_t>>();
      const auto& gaussian = entry.at("gaussian");
      const auto& bilateral = entry.at("bilateral");
      one.parameters.smoothness = {gaussian.at("sx"), gaussian.at("sy"), gaussian.at("weight")};
      one.parameters.appearance = {bilateral.at("sx"), bilateral.at("sy"),
                                   bilateral.at("srgb").get<std::array<double, 3>>(), bilateral.at("weight")};
      const auto rgb = one.array("rgb");  // [H, W, 3]
      const auto unary = one.array("unary");
      const std::int64_t n = one.pixels();
      one.planes.resize(3 * n);
      one.log_odds.resize(n);
      for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t c = 0; c < 3; ++c)
          one.planes[c * n + i] = static_cast<float>(rgb[3 * i + c]);
        one.log_odds[i] = unary[i] - unary[n + i];
      }
      cases.push_back(std::move(one));
    }
    return cases;
  }
};

inline double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

/// The largest difference of two arrays over the length of `a`, of which `b` starts at `offset`.
template <typename A, typename B>
double largest_difference(const std::vector<A>& a, const std::vector<B>& b, std::size_t offset = 0) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b.at(offset + i))));
  return largest;
}

}  // namespace nbs::test
