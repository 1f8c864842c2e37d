// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "nbs/testing.h"

#include "torch_test.h"

// What the tests of trained components share.

namespace nbs::test {

using testing::cross_entropy;
using testing::restore;
using testing::saved;

/// A component with a context of its own: for images of 256 x 256 pixels and profiles of three maps.
template <typename Made>
class Owned : public testing::Owned<Made> {
 public:
  Owned(const typename Made::Options& options, std::uint64_t seed, std::int64_t patch_size = 16)
      : testing::Owned<Made>(options, facts(seed, patch_size)) {}

 private:
  static Context::Facts facts(std::uint64_t seed, std::int64_t patch_size) {
    auto facts = testing::small_facts(seed);
    facts.image_size = 256;
    facts.patch_size = patch_size;
    return facts;
  }
};

/// What a predictor is to learn.
struct Exercise {
  PredictorInput input;
  torch::Tensor masks;
};

/// How far the weights of the last layer, "head.weight", move in each of three steps if `planned` are.
template <typename Made>
std::vector<double> moves_of_head(const typename Made::Options& options, std::int64_t planned,
                                  const Exercise& exercise) {
  auto facts = testing::small_facts(1);
  facts.training_steps = planned;
  testing::Owned<Made> made(options, facts);
  const auto head = [&] { return saved(*made).read_any_shape("parameter.head.weight", torch::kFloat32).clone(); };
  std::vector<double> moves;
  for (int i = 0; i < 3; ++i) {
    const auto before = head();
    made->train_step(exercise.input, exercise.masks, cross_entropy);
    moves.push_back((head() - before).abs().mean().template item<double>());
  }
  return moves;
}

/// Whether a component learns in bfloat16 what it learns in float32, nearly. `step`: one training step, its loss.
template <typename Made, typename Step>
void check_learns_in_bf16(const typename Made::Options& options, Context::Facts facts, const Step& step) {
  constexpr int kSteps = 40;
  std::vector<double> losses[2];
  for (int half = 0; half < 2; ++half) {
    facts.precision = half ? torch::kBFloat16 : torch::kFloat32;
    testing::Owned<Made> made(options, facts);
    for (int i = 0; i < kSteps; ++i)
      losses[half].push_back(step(*made));
    const auto state = saved(*made);
    for (const auto& entry : state.tensors()) {
      CAPTURE(entry.first);  // not the name of a structured binding, which clang lets no lambda of C++17 refer to
      CHECK(entry.second.dtype() != torch::kBFloat16);
    }
  }
  // Eight bits of precision: 0.4 percent for each number that is rounded.
  CHECK(losses[1].front() == doctest::Approx(losses[0].front()).epsilon(0.02));
  CHECK(losses[1] != losses[0]);
  CHECK(losses[0].back() < 0.8 * losses[0].front());
  CHECK(losses[1].back() == doctest::Approx(losses[0].back()).epsilon(0.15));
}

}  // namespace nbs::test
