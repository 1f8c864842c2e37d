// SPDX-License-Identifier: Apache-2.0
// The bilateral grid against exact sums: for gray images it must be nearer than the lattice.
#include "grid.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <doctest/doctest.h>

#include "nbs/error.h"

#include "exact.h"
#include "mean_field.h"
#include "scenes.h"

using nbs::crf::Parameters;
using nbs::test::random_scene;
using nbs::test::Scene;

namespace {

double sigmoid(double z) {
  return 1 / (1 + std::exp(-z));
}

std::vector<float> run_grid(const Parameters& parameters, const Scene& scene) {
  nbs::crf::GridWorkspace workspace;
  std::vector<float> result(scene.pixels());
  nbs::crf::grid_mean_field(parameters, scene.image(), scene.log_odds.data(), result.data(), workspace);
  return result;
}

}  // namespace

TEST_CASE("the grid is near the exact result for any shape, sigmas and normalization") {
  struct Case {
    std::int64_t height, width;
    double sx, sy;
  };
  for (const auto& tested :
       {Case{48, 64, 50, 50}, Case{31, 17, 4, 9}, Case{1, 40, 8, 8}, Case{40, 1, 8, 3}, Case{20, 24, 1.5, 80}}) {
    for (const auto normalization : {nbs::crf::Normalization::symmetric, nbs::crf::Normalization::after}) {
      CAPTURE(tested.height);
      CAPTURE(tested.sx);
      Parameters parameters;
      parameters.smoothness.weight = 1;
      parameters.appearance = {tested.sx, tested.sy, {13, 15, 20}, 3};
      parameters.normalization = normalization;
      const auto scene = random_scene(tested.height, tested.width, 11, true);
      const auto exact =
          nbs::crf::exact_mean_field(parameters, scene.image(), {scene.log_odds.begin(), scene.log_odds.end()});
      const auto grid = run_grid(parameters, scene);
      double largest = 0;
      for (std::size_t i = 0; i < grid.size(); ++i)
        largest = std::max(largest, std::abs(sigmoid(grid[i]) - sigmoid(exact[i])));
      CHECK(largest < 0.02);
    }
  }
}

TEST_CASE("without normalization the grid's sums have the exact scale") {
  const auto scene = random_scene(30, 26, 12, true);
  Parameters parameters;
  parameters.smoothness.weight = 0.001;
  parameters.appearance = {10, 6, {13, 13, 13}, 0.002};
  parameters.normalization = nbs::crf::Normalization::none;
  parameters.iterations = 1;
  const auto exact =
      nbs::crf::exact_mean_field(parameters, scene.image(), {scene.log_odds.begin(), scene.log_odds.end()});
  const auto grid = run_grid(parameters, scene);
  double message = 0;
  double error = 0;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    message = std::max(message, std::abs(exact[i] - scene.log_odds[i]));
    error = std::max(error, std::abs(exact[i] - grid[i]));
  }
  CHECK(message > 0.01);
  CHECK(error < 0.03 * message);
}

TEST_CASE("the grid refuses colors and sigmas that need too many cells") {
  CHECK_THROWS_WITH_AS(run_grid({}, random_scene(8, 8, 13)), doctest::Contains("gray images"), nbs::Error);
  Parameters parameters;
  parameters.appearance.x = parameters.appearance.y = 1;
  const auto large = random_scene(600, 600, 14, true);
  CHECK_THROWS_WITH_AS(run_grid(parameters, large), doctest::Contains("cells"), nbs::Error);
}
