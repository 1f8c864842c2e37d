// SPDX-License-Identifier: Apache-2.0
// The fast lattice against the same lattice written plainly in double precision, against exact sums, and at the edges
// of what it takes.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "nbs/error.h"

#include "exact.h"
#include "lattice.h"
#include "mean_field.h"
#include "scenes.h"

using nbs::crf::Image;
using nbs::crf::Normalization;
using nbs::crf::Parameters;
using nbs::test::random_scene;
using nbs::test::Scene;

namespace {

// Adams et al. 2010 by the letter: no packing, no vectors, no shortcuts, sums in double precision.

using Vertex = std::vector<int>;

// 3.1: a point of d features on the plane sum(e) = 0 of d + 1 dimensions. Single precision and no more: pixels that lie
// between simplices must fall to the same side.
std::vector<float> plain_elevated(const std::vector<float>& point) {
  const int d = static_cast<int>(point.size());
  std::vector<float> elevated(d + 1);
  float sum = 0;
  for (int j = d; j > 0; --j) {
    const auto deviation = static_cast<float>(std::sqrt(2.0 / 3.0) * (d + 1));
    const auto scale = static_cast<float>(1 / std::sqrt(j * (j + 1.0)) * deviation);
    const float scaled = point[j - 1] * scale;
    elevated[j] = sum - static_cast<float>(j) * scaled;
    sum += scaled;
  }
  elevated[0] = sum;
  return elevated;
}

// 3.2: the corners of the simplex around such a point, with its barycentric weights.
std::vector<std::pair<Vertex, double>> plain_corners(const std::vector<float>& elevated) {
  const int d = static_cast<int>(elevated.size()) - 1;
  Vertex origin(d + 1);
  int excess = 0;
  for (int i = 0; i <= d; ++i) {
    const auto cells = static_cast<int>(std::nearbyint(elevated[i] * (1.0F / static_cast<float>(d + 1))));
    origin[i] = cells * (d + 1);
    excess += cells;
  }
  std::vector<int> order(d + 1);  // axes by difference, largest first
  const auto sort = [&] {
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return elevated[a] - static_cast<float>(origin[a]) > elevated[b] - static_cast<float>(origin[b]);
    });
  };
  sort();
  for (int n = 0; n < excess; ++n)
    origin[order[d - n]] -= d + 1;
  for (int n = 0; n < -excess; ++n)
    origin[order[n]] += d + 1;
  sort();
  // From corner k - 1 to corner k: one on all axes, d + 1 back on the axis with the k-th smallest difference.
  std::vector<std::pair<Vertex, double>> corners;
  Vertex corner = origin;
  const auto difference = [&](int rank) {
    return (static_cast<double>(elevated[order[rank]]) - origin[order[rank]]) / (d + 1);
  };
  for (int k = 0; k <= d; ++k) {
    if (k > 0) {
      for (int& axis : corner)
        ++axis;
      corner[order[d + 1 - k]] -= d + 1;
    }
    corners.emplace_back(corner,
                         k == 0 ? 1 + difference(d) - difference(0) : difference(d - k) - difference(d - k + 1));
  }
  return corners;
}

// 3.3: along one axis, half of either neighbor is added to each vertex.
std::map<Vertex, double> plain_blurred(const std::map<Vertex, double>& values, int axis) {
  std::map<Vertex, double> blurred;
  for (const auto& [corner, value] : values) {
    double sum = 0;
    for (const int sign : {-1, 1}) {
      auto neighbor = corner;
      for (int& coordinate : neighbor)
        coordinate += sign;
      neighbor[axis] -= sign * static_cast<int>(corner.size());
      const auto found = values.find(neighbor);
      if (found != values.end()) sum += found->second;
    }
    blurred[corner] = value + 0.5 * sum;
  }
  return blurred;
}

// `features`: d values for each pixel.
std::vector<double> plain_lattice(const std::vector<std::vector<float>>& features, const std::vector<double>& in) {
  const int d = static_cast<int>(features.size());
  std::map<Vertex, double> values;
  std::vector<std::vector<std::pair<Vertex, double>>> corners(in.size());
  for (std::size_t p = 0; p < in.size(); ++p) {
    std::vector<float> point;
    point.reserve(features.size());
    for (const auto& feature : features)
      point.push_back(feature[p]);
    corners[p] = plain_corners(plain_elevated(point));
    for (const auto& [corner, weight] : corners[p])
      values[corner] += weight * in[p];
  }
  for (int axis = 0; axis <= d; ++axis)
    values = plain_blurred(values, axis);
  std::vector<double> out(in.size());
  for (std::size_t p = 0; p < in.size(); ++p) {
    for (const auto& [corner, weight] : corners[p])
      out[p] += weight * values[corner] / (1 + std::pow(2.0, -d));
  }
  return out;
}

std::vector<std::vector<float>> features_of(const Scene& scene, const std::vector<double>& sigmas) {
  std::vector<std::vector<float>> features(sigmas.size());
  for (std::size_t i = 0; i < scene.pixels(); ++i) {
    const auto row = i / scene.width;
    features[0].push_back(static_cast<float>(i % scene.width) / static_cast<float>(sigmas[0]));
    features[1].push_back(static_cast<float>(row) / static_cast<float>(sigmas[1]));
    for (std::size_t c = 2; c < sigmas.size(); ++c)
      features[c].push_back(scene.planes[(c - 2) * scene.pixels() + i] / static_cast<float>(sigmas[c]));
  }
  return features;
}

template <int D>
void compare_with_plain(const Scene& scene, const std::array<double, D>& sigmas) {
  nbs::crf::Lattice<D> lattice;
  lattice.build(scene.image(), sigmas);
  std::vector<float> out(scene.pixels());
  lattice.filter(scene.log_odds.data(), out.data());
  const auto expected =
      plain_lattice(features_of(scene, {sigmas.begin(), sigmas.end()}), {scene.log_odds.begin(), scene.log_odds.end()});
  double scale = 1;
  for (const double value : expected)
    scale = std::max(scale, std::abs(value));
  double largest = 0;
  for (std::size_t i = 0; i < out.size(); ++i)
    largest = std::max(largest, std::abs(out[i] - expected[i]));
  CHECK(largest < 2e-5 * scale);
}

std::vector<float> run(const Parameters& parameters, const Scene& scene) {
  const nbs::crf::SmoothnessKernel smoothness(parameters, scene.height, scene.width);
  nbs::crf::Workspace workspace;
  std::vector<float> result(scene.pixels());
  nbs::crf::mean_field(parameters, smoothness, scene.image(), scene.log_odds.data(), result.data(), workspace);
  return result;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::vector<double> exact(const Parameters& parameters, const Scene& scene) {
  return nbs::crf::exact_mean_field(parameters, scene.image(), {scene.log_odds.begin(), scene.log_odds.end()});
}

std::string refusal(const Parameters& parameters, const Scene& scene) {
  try {
    check(parameters);
    run(parameters, scene);
  } catch (const nbs::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("the fast lattice equals the plain one for any shape and sigmas") {
  struct Size {
    std::int64_t height, width;
  };
  std::uint32_t seed = 1;
  for (const Size size : {Size{1, 1}, Size{1, 2}, Size{23, 1}, Size{1, 37}, Size{7, 5}, Size{13, 17}, Size{32, 64}}) {
    CAPTURE(size.height);
    CAPTURE(size.width);
    const auto scene = random_scene(size.height, size.width, seed++);
    compare_with_plain<2>(scene, {3, 3});
    compare_with_plain<2>(scene, {0.7, 11});
    compare_with_plain<5>(scene, {80, 80, 13, 13, 13});
    compare_with_plain<5>(scene, {4, 21, 9, 30, 5});
  }
}

TEST_CASE("a lattice that is used again forgets the image before") {
  const auto first = random_scene(40, 30, 1);
  const auto second = random_scene(9, 11, 2);
  nbs::crf::Lattice<5> used;
  used.build(first.image(), {3, 3, 2, 2, 2});
  used.build(second.image(), {20, 20, 13, 13, 13});
  nbs::crf::Lattice<5> fresh;
  fresh.build(second.image(), {20, 20, 13, 13, 13});
  std::vector<float> a(second.pixels());
  std::vector<float> b(second.pixels());
  used.filter(second.log_odds.data(), a.data());
  fresh.filter(second.log_odds.data(), b.data());
  CHECK(a == b);
  CHECK(used.vertices() == fresh.vertices());
}

TEST_CASE("normalized lattice filters stay within the lattice's error of the exact ones") {
  // The lattice replaces the Gaussian by a piecewise linear kernel. Measured over these scenes: mean error 0.011,
  // largest 0.234, of values in [-1, 1]; about half of that again is allowed.
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    CAPTURE(seed);
    const auto scene = random_scene(8 + seed, 31 - seed, seed, seed % 3 == 0);
    Parameters parameters;
    parameters.appearance = {5.0 + seed, 12, {13, 20, 16}, 1};
    parameters.smoothness.weight = 0;
    parameters.iterations = 1;
    parameters.normalization = Normalization::after;
    const auto lattice = run(parameters, scene);
    const auto reference = exact(parameters, scene);
    std::vector<double> errors;
    for (std::size_t i = 0; i < lattice.size(); ++i)
      errors.push_back(std::abs(lattice[i] - reference[i]));
    CHECK(mean_of(errors) < 0.017);
    CHECK(*std::max_element(errors.begin(), errors.end()) < 0.35);
  }
}

TEST_CASE("each normalization divides by what it says") {
  const auto scene = random_scene(14, 19, 5);
  for (const auto normalization :
       {Normalization::symmetric, Normalization::before, Normalization::after, Normalization::none}) {
    Parameters parameters;
    parameters.smoothness.weight = 0;
    parameters.appearance = {9, 9, {30, 30, 30}, 0.01};
    parameters.iterations = 1;
    parameters.normalization = normalization;
    const auto z = run(parameters, scene);
    // By hand, from raw sums on the plain lattice.
    const auto features = features_of(scene, {9, 9, 30, 30, 30});
    const auto norm = plain_lattice(features, std::vector<double>(scene.pixels(), 1.0));
    std::vector<double> in(scene.pixels());
    for (std::size_t i = 0; i < in.size(); ++i) {
      in[i] = std::tanh(scene.log_odds[i] / 2.0);
      if (normalization == Normalization::symmetric) in[i] /= std::sqrt(norm[i]);
      if (normalization == Normalization::before) in[i] /= norm[i];
    }
    auto out = plain_lattice(features, in);
    double largest = 0;
    for (std::size_t i = 0; i < in.size(); ++i) {
      if (normalization == Normalization::symmetric) out[i] /= std::sqrt(norm[i]);
      if (normalization == Normalization::after) out[i] /= norm[i];
      largest = std::max(largest, std::abs(z[i] - scene.log_odds[i] - 0.01 * out[i]));
    }
    CAPTURE(static_cast<int>(normalization));
    CHECK(largest < 5e-6);
  }
}

TEST_CASE("a constant image's lattice CRF keeps agreeing pixels agreeing") {
  Scene scene = random_scene(21, 33, 3);
  std::fill(scene.planes.begin(), scene.planes.end(), 128.0F);
  compare_with_plain<5>(scene, {80, 80, 13, 13, 13});
  std::fill(scene.log_odds.begin(), scene.log_odds.end(), 1.0F);
  // All agree, so each message is positive and, by symmetric normalization, close to its weight times s.
  for (const float z : run({}, scene))
    CHECK(z > 1.0F);
}

TEST_CASE("no iteration and no weight leave the unary as it is") {
  const auto scene = random_scene(12, 9, 4);
  Parameters none;
  none.iterations = 0;
  CHECK(run(none, scene) == scene.log_odds);
  Parameters weightless;
  weightless.smoothness.weight = 0;
  weightless.appearance.weight = 0;
  CHECK(run(weightless, scene) == scene.log_odds);
}

TEST_CASE("what cannot be computed is refused with a sentence") {
  const auto scene = random_scene(16, 16, 6);
  const auto with = [](auto change) {
    Parameters parameters;
    change(parameters);
    return parameters;
  };
  CHECK(refusal({}, scene) == "");
  CHECK(refusal(with([](auto& p) { p.appearance.x = 0; }), scene).find("above 0") != std::string::npos);
  CHECK(refusal(with([](auto& p) { p.smoothness.y = -1; }), scene).find("above 0") != std::string::npos);
  CHECK(refusal(with([](auto& p) { p.appearance.color[2] = std::nan(""); }), scene).find("above 0") !=
        std::string::npos);
  CHECK(refusal(with([](auto& p) { p.appearance.weight = -1; }), scene).find("at least 0") != std::string::npos);
  CHECK(refusal(with([](auto& p) { p.iterations = -1; }), scene).find("iterations") != std::string::npos);
  for (const double tiny : {1e-4, 1e-12, 1e-300}) {
    CHECK(refusal(with([&](auto& p) { p.appearance.color[0] = tiny; }), scene).find("too small") != std::string::npos);
    CHECK(refusal(with([&](auto& p) { p.smoothness.x = tiny; }), scene).find("too small") != std::string::npos);
  }
  auto bad = scene;
  bad.planes[5] = std::numeric_limits<float>::quiet_NaN();
  CHECK(refusal({}, bad).find("not numbers") != std::string::npos);

  const nbs::crf::SmoothnessKernel other({}, 16, 17);
  nbs::crf::Workspace workspace;
  std::vector<float> result(scene.pixels());
  CHECK_THROWS_AS(nbs::crf::mean_field({}, other, scene.image(), scene.log_odds.data(), result.data(), workspace),
                  nbs::Error);
  const auto large = random_scene(257, 256, 7);
  CHECK_THROWS_WITH_AS(exact({}, large), doctest::Contains("at most 65536"), nbs::Error);
}

TEST_CASE("log-odds and probabilities are each other's inverse, within the clamp") {
  std::vector<float> p;
  for (int i = 0; i <= 1000; ++i)
    p.push_back(static_cast<float>(i) / 1000.0F);
  const auto n = static_cast<std::int64_t>(p.size());
  std::vector<float> z(p.size());
  std::vector<float> back(p.size());
  nbs::crf::log_odds_of(p.data(), n, 1e-4F, z.data());
  nbs::crf::probabilities_of(z.data(), n, back.data());
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double clamped = std::min(std::max(static_cast<double>(p[i]), 1e-4), 1 - 1e-4);
    CHECK(z[i] == doctest::Approx(std::log(clamped / (1 - clamped))).epsilon(1e-6));
    CHECK(back[i] == doctest::Approx(clamped).epsilon(1e-6));
  }
}
