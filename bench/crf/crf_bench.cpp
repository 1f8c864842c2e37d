// SPDX-License-Identifier: Apache-2.0
// Time of the fully connected CRF, one thread, defaults (5 iterations), images beyond the first; and its memory.
// `NBS_BENCH_IMAGE=FILE` measures on a picture of yours instead of the drawn one.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <sys/resource.h>

#include "exact.h"
#include "grid.h"
#include "mean_field.h"

namespace {

struct Scene {
  std::vector<float> planes;  // [3, S, S] in [0, 1]
  std::vector<float> probability;

  nbs::crf::Image image(std::int64_t side) const { return {planes.data(), side, side, 255.0F}; }
};

// A surface as in the data sets: uneven light, colored grain, a dark crack; in 8 bits. `gray`: without color.
Scene draw(std::int64_t side, bool gray) {
  std::mt19937 random(1);
  const auto uniform = [&] { return static_cast<float>(random() >> 8) * (1.0F / 16777216.0F); };
  Scene scene;
  scene.planes.resize(3 * side * side);
  scene.probability.resize(side * side);
  cv::Mat picture;
  if (const char* file = std::getenv("NBS_BENCH_IMAGE")) {
    picture = cv::imread(file, gray ? cv::IMREAD_GRAYSCALE : cv::IMREAD_COLOR);
    if (picture.empty()) throw std::runtime_error(std::string("cannot read the picture ") + file);
    cv::resize(picture, picture, cv::Size(static_cast<int>(side), static_cast<int>(side)), 0, 0, cv::INTER_AREA);
    if (gray) cv::cvtColor(picture, picture, cv::COLOR_GRAY2BGR);
  }
  for (std::int64_t y = 0; y < side; ++y) {
    for (std::int64_t x = 0; x < side; ++x) {
      const std::int64_t i = y * side + x;
      const float u = static_cast<float>(x) / static_cast<float>(side);
      const float v = static_cast<float>(y) / static_cast<float>(side);
      const float crack = std::abs(v - 0.5F - 0.1F * std::sin(9 * u));
      const bool inside = crack < 0.02F;
      const float light = 110 + 50 * u + 30 * std::sin(5 * v);
      const float grain = 24 * (uniform() + uniform() + uniform() + uniform() - 2);
      for (int c = 0; c < 3; ++c) {
        float level = light + grain - (inside ? 60 : 0);
        if (!gray) level += static_cast<float>(8 * c) + 8 * (uniform() - 0.5F);
        if (!picture.empty()) level = picture.at<cv::Vec3b>(static_cast<int>(y), static_cast<int>(x))[2 - c];
        scene.planes[c * side * side + i] = std::round(std::min(std::max(level, 0.0F), 255.0F)) / 255;
      }
      scene.probability[i] = std::min(std::max((inside ? 0.7F : 0.2F) + 0.4F * (uniform() - 0.5F), 0.0F), 1.0F);
    }
  }
  return scene;
}

double peak_mebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// From probabilities to probabilities.
void lattice(benchmark::State& state, bool gray) {
  const std::int64_t side = state.range(0);
  const auto scene = draw(side, gray);
  const nbs::crf::Parameters parameters;
  const double before = peak_mebibytes();
  const nbs::crf::SmoothnessKernel smoothness(parameters, side, side);
  nbs::crf::Workspace workspace;
  std::vector<float> odds(side * side);
  std::vector<float> result(side * side);
  const auto run = [&] {
    nbs::crf::log_odds_of(scene.probability.data(), side * side, 1e-5F, odds.data());
    nbs::crf::mean_field(parameters, smoothness, scene.image(side), odds.data(), odds.data(), workspace);
    nbs::crf::probabilities_of(odds.data(), side * side, result.data());
    benchmark::DoNotOptimize(result.data());
  };
  run();  // the first image allocates
  for (auto _ : state)
    run();
  state.counters["vertices"] = static_cast<double>(workspace.appearance.lattice.vertices());
  // The library calls this several times, and only the first call of a process raises the peak: to read the memory of
  // one size, filter for it alone.
  static double largest = 0;
  largest = std::max(largest, peak_mebibytes() - before);
  state.counters["peak_MiB"] = largest;
}
BENCHMARK_CAPTURE(lattice, color, false)->Arg(256)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(lattice, gray, true)->Arg(256)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond);

void build_appearance(benchmark::State& state) {
  const std::int64_t side = state.range(0);
  const auto scene = draw(side, false);
  nbs::crf::Lattice<5> kernel;
  for (auto _ : state)
    kernel.build(scene.image(side), {80, 80, 13, 13, 13});
}
BENCHMARK(build_appearance)->Arg(256)->Unit(benchmark::kMillisecond);

void build_smoothness(benchmark::State& state) {
  const std::int64_t side = state.range(0);
  nbs::crf::Lattice<2> kernel;
  nbs::crf::Image size;
  size.height = size.width = side;
  for (auto _ : state)
    kernel.build(size, {3, 3});
  state.counters["vertices"] = static_cast<double>(kernel.vertices());
}
BENCHMARK(build_smoothness)->Arg(256)->Unit(benchmark::kMillisecond);

void grid(benchmark::State& state) {
  const std::int64_t side = state.range(0);
  const auto scene = draw(side, true);
  const nbs::crf::Parameters parameters;
  std::vector<float> odds(side * side);
  std::vector<float> result(side * side);
  nbs::crf::GridWorkspace workspace;
  for (auto _ : state) {
    nbs::crf::log_odds_of(scene.probability.data(), side * side, 1e-5F, odds.data());
    nbs::crf::grid_mean_field(parameters, scene.image(side), odds.data(), odds.data(), workspace);
    nbs::crf::probabilities_of(odds.data(), side * side, result.data());
    benchmark::DoNotOptimize(result.data());
  }
}
BENCHMARK(grid)->Arg(256)->Arg(512)->Arg(1024)->Unit(benchmark::kMillisecond);

void exact(benchmark::State& state) {
  const std::int64_t side = state.range(0);
  const auto scene = draw(side, false);
  const nbs::crf::Parameters parameters;
  std::vector<double> odds(side * side);
  for (std::int64_t i = 0; i < side * side; ++i)
    odds[i] = 4 * scene.probability[i] - 2;
  for (auto _ : state)
    benchmark::DoNotOptimize(nbs::crf::exact_mean_field(parameters, scene.image(side), odds));
}
BENCHMARK(exact)->Arg(32)->Arg(64)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
