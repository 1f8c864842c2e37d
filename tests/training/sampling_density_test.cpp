// SPDX-License-Identifier: Apache-2.0
#include "nbs/training/sampling_density.h"

#include <random>

#include "nbs/error.h"

#include "torch_test.h"

using nbs::Patch;
using nbs::record::SamplingPhase;
using nbs::training::SamplingDensity;

namespace {

// Covers pixel by pixel, and then takes the mean of each cell's pixels.
std::vector<double> brute_force(const std::vector<Patch>& patches, std::int64_t size, std::int64_t patch,
                                std::int64_t side) {
  std::vector<double> pixels(static_cast<std::size_t>(size * size), 0);
  for (const auto& one : patches) {
    for (std::int64_t y = one.y; y < one.y + patch; ++y) {
      for (std::int64_t x = one.x; x < one.x + patch; ++x)
        pixels[static_cast<std::size_t>(y * size + x)] += 1.0 / static_cast<double>(patches.size());
    }
  }
  std::vector<double> cells;
  for (std::int64_t row = 0; row < side; ++row) {
    for (std::int64_t column = 0; column < side; ++column) {
      double sum = 0;
      double count = 0;
      for (std::int64_t y = row * size / side; y < (row + 1) * size / side; ++y) {
        for (std::int64_t x = column * size / side; x < (column + 1) * size / side; ++x) {
          sum += pixels[static_cast<std::size_t>(y * size + x)];
          ++count;
        }
      }
      cells.push_back(sum / count);
    }
  }
  return cells;
}

std::vector<Patch> random_patches(std::mt19937& random, int count, std::int64_t places) {
  std::vector<Patch> patches;
  for (int i = 0; i < count; ++i) {
    patches.push_back({static_cast<std::int64_t>(random() % 20), static_cast<std::int64_t>(random() % places),
                       static_cast<std::int64_t>(random() % places)});
  }
  return patches;
}

void check_cells(const nbs::record::PatchDensity& found, const std::vector<double>& expected) {
  REQUIRE(found.cells.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(found.cells[i] == doctest::Approx(expected[i]));
}

}  // namespace

TEST_CASE("the density of a cell is the share of patches on its pixels, also where cells are not all alike") {
  std::mt19937 random(3);
  for (const std::int64_t size : {64, 100, 20}) {
    for (const std::int64_t patch : {7, 16}) {
      CAPTURE(size);
      CAPTURE(patch);
      const auto patches = random_patches(random, 50, size - patch + 1);
      SamplingDensity density(size, patch, 2);
      density.begin(SamplingPhase::after_cloning);
      density.add(patches);
      const auto places = density.places(false, {});
      CHECK(places.side == std::min<std::int64_t>(32, size));
      CHECK_FALSE(places.learns);
      REQUIRE(places.phases.size() == 1);
      CHECK(places.phases[0].all.patches == 50);
      check_cells(places.phases[0].all, brute_force(patches, size, patch, places.side));
    }
  }
}

TEST_CASE("phases are counted apart, and labeled images each on its own, as many as are shown") {
  std::mt19937 random(4);
  const auto cloning = random_patches(random, 300, 33);
  const auto after = random_patches(random, 40, 33);
  SamplingDensity density(48, 16, 15);  // patches name 20 images
  density.begin(SamplingPhase::cloning);
  density.add_labeled(cloning);
  density.add(after);
  density.begin(SamplingPhase::cloning);
  density.begin(SamplingPhase::after_cloning);
  density.add(after);
  const auto places = density.places(true, {"first", "second"});
  CHECK(places.learns);
  REQUIRE(places.phases.size() == 2);
  CHECK(places.phases[0].phase == SamplingPhase::cloning);
  CHECK(places.phases[0].iterations == 2);
  CHECK(places.phases[1].phase == SamplingPhase::after_cloning);
  CHECK(places.phases[1].iterations == 1);
  const auto& labeled = places.phases[0].labeled;
  REQUIRE(labeled.size() == 12);
  CHECK(labeled[0].image == "first");
  CHECK(labeled[1].image == "second");
  CHECK(labeled[2].image == "2");
  for (std::int64_t i = 0; i < 12; ++i) {
    std::vector<Patch> own;
    for (const auto& patch : cloning) {
      if (patch.image == i) own.push_back(patch);
    }
    CHECK(labeled[static_cast<std::size_t>(i)].patches == static_cast<std::int64_t>(own.size()));
    check_cells(labeled[static_cast<std::size_t>(i)], brute_force(own, 48, 16, 32));
  }
  check_cells(places.phases[1].all, brute_force(after, 48, 16, 32));
  CHECK(places.phases[1].labeled.at(0).patches == 0);
  CHECK(places.phases[1].labeled.at(0).cells.at(0) == 0);
}

TEST_CASE("what was counted is saved and goes on, and counts of another size of image are refused") {
  std::mt19937 random(5);
  SamplingDensity whole(48, 16, 2);
  SamplingDensity begun(48, 16, 2);
  for (auto* const density : {&whole, &begun}) {
    density->begin(SamplingPhase::cloning);
    density->add({{0, 3, 4}, {1, 30, 31}});
    density->add_labeled({{0, 3, 4}, {1, 30, 31}});
  }
  nbs::State state;
  nbs::training::StateWriter writer(state);
  begun.save(writer);
  SamplingDensity rest(48, 16, 2);
  rest.load(nbs::training::StateReader(state));
  for (auto* const density : {&whole, &rest}) {
    density->begin(SamplingPhase::after_cloning);
    density->add({{1, 8, 8}});
  }
  nbs::record::Diagnostics expected;
  expected.sampled = whole.places(true, {});
  nbs::record::Diagnostics found;
  found.sampled = rest.places(true, {});
  CHECK(nbs::record::to_json(found).dump() == nbs::record::to_json(expected).dump());
  SamplingDensity other(20, 16, 2);
  CHECK_THROWS_AS(other.load(nbs::training::StateReader(state)), nbs::Error);
}
