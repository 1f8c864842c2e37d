// SPDX-License-Identifier: Apache-2.0
#include "postprocessor.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <exception>
#include <string>
#include <thread>

#include "exact.h"

namespace nbs::crf {

namespace {

void check_shapes(const torch::Tensor& probabilities, const torch::Tensor& images) {
  const auto text = [](const torch::Tensor& tensor) {
    std::string result;
    for (const auto size : tensor.sizes())
      result += (result.empty() ? "" : ", ") + std::to_string(size);
    return "[" + result + "]";
  };
  const bool fits = probabilities.dim() == 3 && images.dim() == 4 && images.size(1) == 3 &&
                    images.size(0) == probabilities.size(0) && images.size(2) == probabilities.size(1) &&
                    images.size(3) == probabilities.size(2);
  if (fits) return;
  throw Error("the CRF needs probabilities [N, H, W] and images [N, 3, H, W] of the same number and size, but got " +
              text(probabilities) + " and " + text(images));
}

void check_probabilities(const torch::Tensor& probabilities) {
  if (probabilities.numel() == 0) return;
  // A comparison with NaN is false, so this refuses it as well.
  const auto bad = ((probabilities >= 0) & (probabilities <= 1)).logical_not();
  const auto count = bad.sum().item<std::int64_t>();
  if (count == 0) return;
  const auto first = bad.flatten().nonzero()[0].item<std::int64_t>();
  const auto plane = probabilities.size(1) * probabilities.size(2);
  throw Error("the CRF's probabilities must lie in [0, 1], but " + std::to_string(count) + " do not; the first is " +
              std::to_string(probabilities.flatten()[first].item<float>()) + " in map " +
              std::to_string(first / plane) + " at (" + std::to_string(first % plane % probabilities.size(2)) + ", " +
              std::to_string(first % plane / probabilities.size(2)) + ")");
}

}  // namespace

DenseCrf::DenseCrf(const Options& options, Context& context)
    : options_(options),
      parameters_(options.parameters()),
      threads_(options.threads > 0 ? options.threads : std::max<std::int64_t>(1, context.facts().threads)) {}

torch::Tensor DenseCrf::apply(const torch::Tensor& probabilities, const torch::Tensor& images) {
  check_shapes(probabilities, images);
  check_probabilities(probabilities);
  const auto in = probabilities.to(torch::kCPU, torch::kFloat32).contiguous();
  const auto colors = images.to(torch::kCPU, torch::kFloat32).contiguous();
  auto out = torch::empty_like(in);
  const std::int64_t count = in.size(0);
  const std::int64_t pixels = in.size(1) * in.size(2);
  if (in.numel() == 0) return out;
  if (options_.mode == Mode::lattice &&
      (!smoothness_ || smoothness_->height() != in.size(1) || smoothness_->width() != in.size(2)))
    smoothness_ = std::make_unique<SmoothnessKernel>(parameters_, in.size(1), in.size(2));

  const std::int64_t threads = std::min(threads_, count);
  if (static_cast<std::int64_t>(workers_.size()) < threads) workers_.resize(threads);
  // Each image is one thread's work from beginning to end, so results do not depend on how many there are.
  std::atomic<std::int64_t> next{0};
  std::vector<std::exception_ptr> failures(static_cast<std::size_t>(count));
  const float* const in_data = in.data_ptr<float>();
  const float* const color_data = colors.data_ptr<float>();
  float* const out_data = out.data_ptr<float>();
  const auto work = [&](std::int64_t worker) {
    const float* before = nullptr;
    for (std::int64_t i = next++; i < count; i = next++) {
      try {
        const Image image = {color_data + i * 3 * pixels, in.size(1), in.size(2), 255.0F};
        // The maps that several predictors have of one image: to compare takes a twentieth of building its lattice.
        const auto bytes = static_cast<std::size_t>(3 * pixels) * sizeof(float);
        const bool again = before != nullptr && std::memcmp(before, image.planes, bytes) == 0;
        before = nullptr;
        refine(in_data + i * pixels, image, out_data + i * pixels, workers_[worker], again);
        before = image.planes;
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  std::vector<std::thread> others;
  for (std::int64_t worker = 1; worker < threads; ++worker)
    others.emplace_back(work, worker);
  work(0);
  for (auto& thread : others)
    thread.join();
  for (const auto& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
  return out;
}

void DenseCrf::refine(const float* probability, const Image& image, float* refined, Worker& worker, bool again) const {
  const std::int64_t pixels = image.pixels();
  worker.log_odds.resize(static_cast<std::size_t>(pixels));
  float* const z = worker.log_odds.data();
  log_odds_of(probability, pixels, static_cast<float>(options_.clamp), z);
  if (options_.mode == Mode::exact) {
    const auto exact = exact_mean_field(parameters_, image, {z, z + pixels});
    std::copy(exact.begin(), exact.end(), z);
  } else if (options_.mode == Mode::grid) {
    grid_mean_field(parameters_, image, z, z, worker.grid);
  } else {
    mean_field(parameters_, *smoothness_, image, z, z, worker.lattice, again);
  }
  probabilities_of(z, pixels, refined);
}

}  // namespace nbs::crf
