// SPDX-License-Identifier: Apache-2.0
// Against the widely used lattice implementation (ref_*) and a brute force in double precision (exact_*).
#include "vectors.h"

#include <doctest/doctest.h>

#include "exact.h"
#include "lattice.h"
#include "mean_field.h"

using nbs::test::largest_difference;
using nbs::test::sigmoid;
using nbs::test::VectorCase;

namespace {

std::vector<float> run_lattice(const VectorCase& vectors, std::int64_t iterations) {
  auto parameters = vectors.parameters;
  parameters.iterations = iterations;
  const nbs::crf::SmoothnessKernel smoothness(parameters, vectors.height, vectors.width);
  nbs::crf::Workspace workspace;
  const std::vector<float> log_odds(vectors.log_odds.begin(), vectors.log_odds.end());
  std::vector<float> result(log_odds.size());
  nbs::crf::mean_field(parameters, smoothness, vectors.image(), log_odds.data(), result.data(), workspace);
  return result;
}

template <int D>
void compare_kernel(const VectorCase& vectors, const std::array<double, D>& sigmas, const std::string& kernel) {
  nbs::crf::Lattice<D> lattice;
  lattice.build(vectors.image(), sigmas);
  const auto n = static_cast<std::size_t>(vectors.pixels());
  const std::vector<float> ones(n, 1.0F);
  std::vector<float> norm(n);
  lattice.filter(ones.data(), norm.data());
  for (float& value : norm)
    value = 1 / std::sqrt(value + 1e-20F);
  CHECK(largest_difference(norm, vectors.array("ref_norm_" + kernel)) < 1e-5);

  const auto expected = vectors.array("ref_filter_" + kernel + "_q0");
  for (std::size_t label = 0; label < 2; ++label) {
    std::vector<float> in(n);
    for (std::size_t i = 0; i < n; ++i)
      in[i] = norm[i] * static_cast<float>(sigmoid(label == 1 ? vectors.log_odds[i] : -vectors.log_odds[i]));
    std::vector<float> out(n);
    lattice.filter(in.data(), out.data());
    for (std::size_t i = 0; i < n; ++i)
      out[i] *= norm[i];
    CHECK(largest_difference(out, expected, label * n) < 1e-5);
  }
}

}  // namespace

TEST_CASE("lattice marginals and log-odds agree with the reference implementation") {
  const auto cases = VectorCase::all();
  REQUIRE(cases.size() == 3);
  for (const auto& vectors : cases) {
    CAPTURE(vectors.name);
    for (const auto iterations : {std::int64_t{0}, std::int64_t{1}, std::int64_t{5}, std::int64_t{10}}) {
      CAPTURE(iterations);
      const auto z = run_lattice(vectors, iterations);
      const auto expected = vectors.array("ref_q_it" + std::to_string(iterations));
      std::vector<float> q(z.size());
      nbs::crf::probabilities_of(z.data(), static_cast<std::int64_t>(z.size()), q.data());
      CHECK(largest_difference(q, expected, z.size()) < 1e-5);
      double odds = 0;
      for (std::size_t i = 0; i < z.size(); ++i)
        odds = std::max(odds, std::abs(z[i] - std::log(expected[z.size() + i] / expected[i])));
      CHECK(odds < 1e-4);
    }
  }
}

TEST_CASE("lattice filters and norms agree with the reference implementation") {
  for (const auto& vectors : VectorCase::all()) {
    CAPTURE(vectors.name);
    const auto& smoothness = vectors.parameters.smoothness;
    const auto& appearance = vectors.parameters.appearance;
    compare_kernel<2>(vectors, {smoothness.x, smoothness.y}, "gaussian");
    compare_kernel<5>(vectors,
                      {appearance.x, appearance.y, appearance.color[0], appearance.color[1], appearance.color[2]},
                      "bilateral");
  }
}

TEST_CASE("exact mode agrees with the brute force") {
  for (const auto& vectors : VectorCase::all()) {
    CAPTURE(vectors.name);
    const std::vector<double> ones(static_cast<std::size_t>(vectors.pixels()), 1.0);
    for (const bool gaussian : {true, false}) {
      auto norm = gaussian ? nbs::crf::exact_smoothness(vectors.parameters, vectors.image(), ones)
                           : nbs::crf::exact_appearance(vectors.parameters, vectors.image(), ones);
      for (double& value : norm)
        value = 1 / std::sqrt(value);
      CHECK(largest_difference(norm, vectors.array(gaussian ? "exact_norm_gaussian" : "exact_norm_bilateral")) < 1e-6);
    }
    for (const auto iterations : vectors.iterations) {
      CAPTURE(iterations);
      auto parameters = vectors.parameters;
      parameters.iterations = iterations;
      auto q = nbs::crf::exact_mean_field(parameters, vectors.image(), vectors.log_odds);
      for (double& z : q)
        z = sigmoid(z);
      CHECK(largest_difference(q, vectors.array("exact_q_it" + std::to_string(iterations)), q.size()) < 1e-6);
    }
  }
}
