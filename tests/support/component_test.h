// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

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

}  // namespace nbs::test
