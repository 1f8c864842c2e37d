// SPDX-License-Identifier: Apache-2.0
#include "mean_field.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "nbs/error.h"
#include "nbs/multiversion.h"

#include "lattice_step.h"
#include "vector_math.h"

namespace nbs::crf {

namespace {

// One kernel's part of a sweep over the pixels; no blocks: the kernel has no weight and is left out.
template <int D>
struct Part {
  const LatticeBlock<D>* blocks = nullptr;
  const float* before = nullptr;  // factors; null: 1
  const float* after = nullptr;
  float weight = 0;
  const float* blurred = nullptr;  // by vertex, from the last splat; null in the first sweep
  float* target = nullptr;         // by vertex, zeros; null in the last sweep
};

FloatsAnywhere& block_of(float* values, std::int64_t b) {
  return *reinterpret_cast<FloatsAnywhere*>(values + b * kLanes);
}
const FloatsAnywhere& block_of(const float* values, std::int64_t b) {
  return *reinterpret_cast<const FloatsAnywhere*>(values + b * kLanes);
}

template <int D>
__attribute__((always_inline)) inline void receive(const Part<D>& part, std::int64_t b, Floats& z) {
  Floats message = part.weight * slice(part.blocks[b], part.blurred);
  if (part.after != nullptr) message *= block_of(part.after, b);
  z += message;
}

template <int D>
__attribute__((always_inline)) inline void send(const Part<D>& part, std::int64_t b, Floats s) {
  if (part.before != nullptr) s *= block_of(part.before, b);
  splat(part.blocks[b], s, part.target);
}

// Slices the last iteration and splats the next one in the same pass, while a block's weights and vertices are in the
// nearest cache. All arrays are in the order of blocks; `result` is written in the last sweep only.
NBS_MULTIVERSION
void sweep(const Part<2>& smoothness, const Part<5>& appearance, const float* log_odds, std::int64_t blocks, bool first,
           float* result) {
  for (std::int64_t b = 0; b < blocks; ++b) {
    Floats z = block_of(log_odds, b);
    if (!first) {
      if (smoothness.blocks != nullptr) receive(smoothness, b, z);
      if (appearance.blocks != nullptr) receive(appearance, b, z);
    }
    if (result != nullptr) {
      block_of(result, b) = z;
      continue;
    }
    const Floats s = half_tanh(z);
    if (smoothness.blocks != nullptr) send(smoothness, b, s);
    if (appearance.blocks != nullptr) send(appearance, b, s);
  }
}

NBS_MULTIVERSION
void splat_ones(const LatticeBlock<2>* blocks, std::int64_t count, float* vertices) {
  for (std::int64_t b = 0; b < count; ++b)
    splat(blocks[b], Floats{} + 1.0F, vertices);
}
NBS_MULTIVERSION
void splat_ones(const LatticeBlock<5>* blocks, std::int64_t count, float* vertices) {
  for (std::int64_t b = 0; b < count; ++b)
    splat(blocks[b], Floats{} + 1.0F, vertices);
}
NBS_MULTIVERSION
void slice_all(const LatticeBlock<2>* blocks, std::int64_t count, const float* vertices, float* pixels) {
  for (std::int64_t b = 0; b < count; ++b)
    block_of(pixels, b) = slice(blocks[b], vertices);
}
NBS_MULTIVERSION
void slice_all(const LatticeBlock<5>* blocks, std::int64_t count, const float* vertices, float* pixels) {
  for (std::int64_t b = 0; b < count; ++b)
    block_of(pixels, b) = slice(blocks[b], vertices);
}

// In place: sums to factors. The small number is the widely used implementation's; it keeps empty sums finite.
NBS_MULTIVERSION
void factors_of(float* sums, std::int64_t count, float gain, bool root) {
  if (root) {
    for (std::int64_t i = 0; i < count; ++i)
      sums[i] = 1.0F / std::sqrt(gain * sums[i] + 1e-20F);
  } else {
    for (std::int64_t i = 0; i < count; ++i)
      sums[i] = 1.0F / (gain * sums[i] + 1e-20F);
  }
}

// One kernel's buffers over the sweeps of one image.
template <int D>
class Messages {
 public:
  Messages(const Kernel<D>& kernel, double weight, std::vector<float>& values, std::vector<float>& scratch)
      : lattice_(kernel.lattice) {
    if (weight == 0) return;
    const auto size = static_cast<std::size_t>(lattice_.vertices() + 1);
    values.resize(size);
    scratch.resize(size);
    values_ = values.data();
    scratch_ = scratch.data();
    part_.blocks = lattice_.blocks().data();
    if (kernel.before) part_.before = kernel.factors.data();
    if (kernel.after) part_.after = kernel.factors.data();
    part_.weight = static_cast<float>(weight) * Lattice<D>::kGain;
  }

  // Blurs what the last sweep sent, and makes room for the next.
  const Part<D>& turn(bool first, bool last) {
    if (part_.blocks == nullptr) return part_;
    if (!first) {
      values_[0] = 0;
      float* const blurred = lattice_.blur(values_, scratch_);
      part_.blurred = blurred;
      if (blurred == values_) std::swap(values_, scratch_);
    }
    if (!last) std::fill_n(values_, lattice_.vertices() + 1, 0.0F);
    part_.target = values_;
    // scratch_ now holds what is read in this sweep; the next blur may overwrite it.
    return part_;
  }

 private:
  const Lattice<D>& lattice_;
  Part<D> part_;
  float* values_ = nullptr;
  float* scratch_ = nullptr;
};

}  // namespace

template <int D>
void Kernel<D>::normalize(Normalization normalization, std::vector<float>& values, std::vector<float>& scratch) {
  before = normalization == Normalization::symmetric || normalization == Normalization::before;
  after = normalization == Normalization::symmetric || normalization == Normalization::after;
  if (normalization == Normalization::none) return;
  const std::int64_t blocks = lattice.segments().blocks();
  values.assign(static_cast<std::size_t>(lattice.vertices() + 1), 0.0F);
  scratch.resize(values.size());
  splat_ones(lattice.blocks().data(), blocks, values.data());
  values[0] = 0;
  factors.resize(static_cast<std::size_t>(lattice.segments().size()));
  slice_all(lattice.blocks().data(), blocks, lattice.blur(values.data(), scratch.data()), factors.data());
  factors_of(factors.data(), lattice.segments().size(), Lattice<D>::kGain, normalization == Normalization::symmetric);
  // Where there is no pixel the sum is 0 and its factor huge; it meets weights of 0, but could be infinite before.
  for (std::int64_t b = blocks - 1; b >= 0 && lattice.segments().count(b) < kLanes; --b)
    std::fill(&factors[b * kLanes] + lattice.segments().count(b), &factors[b * kLanes] + kLanes, 0.0F);
}

template struct Kernel<2>;
template struct Kernel<5>;

SmoothnessKernel::SmoothnessKernel(const Parameters& parameters, std::int64_t height, std::int64_t width)
    : height_(height), width_(width) {
  if (parameters.smoothness.weight == 0) return;
  Image image;
  image.height = height;
  image.width = width;
  kernel_.lattice.build(image, {parameters.smoothness.x, parameters.smoothness.y});
  std::vector<float> values;
  std::vector<float> scratch;
  kernel_.normalize(parameters.normalization, values, scratch);
}

void mean_field(const Parameters& parameters, const SmoothnessKernel& smoothness, const Image& image,
                const float* log_odds, float* result, Workspace& workspace, bool again) {
  check(image);
  if (smoothness.height() != image.height || smoothness.width() != image.width) {
    throw Error("the CRF's smoothness kernel is for " + std::to_string(smoothness.width()) + " x " +
                std::to_string(smoothness.height()) + " pixels, but the image has " + std::to_string(image.width) +
                " x " + std::to_string(image.height));
  }
  auto& appearance = workspace.appearance;
  if (!again && parameters.appearance.weight > 0 && parameters.iterations > 0) {
    const auto& sigma = parameters.appearance;
    appearance.lattice.build(image, {sigma.x, sigma.y, sigma.color[0], sigma.color[1], sigma.color[2]});
    appearance.normalize(parameters.normalization, workspace.appearance_values, workspace.appearance_scratch);
  }
  const Segments segments(image.pixels());
  workspace.log_odds.resize(static_cast<std::size_t>(segments.size()));
  workspace.result.resize(workspace.log_odds.size());
  segments.gather(log_odds, workspace.log_odds.data());

  Messages<2> smooth(smoothness.kernel(), parameters.iterations > 0 ? parameters.smoothness.weight : 0,
                     workspace.smoothness_values, workspace.smoothness_scratch);
  Messages<5> appear(appearance, parameters.iterations > 0 ? parameters.appearance.weight : 0,
                     workspace.appearance_values, workspace.appearance_scratch);
  for (std::int64_t iteration = 0; iteration <= parameters.iterations; ++iteration) {
    const bool first = iteration == 0;
    const bool last = iteration == parameters.iterations;
    const auto& smooth_part = smooth.turn(first, last);
    const auto& appear_part = appear.turn(first, last);
    sweep(smooth_part, appear_part, workspace.log_odds.data(), segments.blocks(), first,
          last ? workspace.result.data() : nullptr);
  }
  segments.scatter(workspace.result.data(), result);
}

NBS_MULTIVERSION
void log_odds_of(const float* probabilities, std::int64_t count, float clamp, float* log_odds) {
  // Both p and 1 - p are clamped: with a clamp below the resolution of 1 - p neither may become 0.
  const float most = 1.0F - clamp;
  for (std::int64_t i = 0; i < count; ++i) {
    float p = probabilities[i];
    float q = 1.0F - p;
    p = p < clamp ? clamp : p;
    q = q < clamp ? clamp : q;
    log_odds[i] = logarithm(p > most ? most : p) - logarithm(q > most ? most : q);
  }
}

NBS_MULTIVERSION
void probabilities_of(const float* log_odds, std::int64_t count, float* probabilities) {
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    Floats z;
    std::memcpy(&z, log_odds + i, sizeof z);
    const Floats p = 1.0F / (1.0F + exponential(-z));
    std::memcpy(probabilities + i, &p, sizeof p);
  }
  for (; i < count; ++i)
    probabilities[i] = 1.0F / (1.0F + exponential(Floats{} - log_odds[i])[0]);
}

}  // namespace nbs::crf
