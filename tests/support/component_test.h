// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nbs/component.h"
#include "nbs/context.h"
#include "nbs/predictor.h"
#include "nbs/state.h"

#include "torch_test.h"

// What the tests of trained components share.

namespace nbs::test {

/// A component with a context of its own, which logs nothing: for images of 256 x 256 pixels and profiles of three
/// maps.
template <typename Made>
class Owned {
 public:
  template <typename Options>
  Owned(const Options& options, std::uint64_t seed, std::int64_t patch_size = 16)
      : context_(facts(seed, patch_size), [](const std::string&) {}), component_(options, context_) {}
  Made* operator->() { return &component_; }
  Made& operator*() { return component_; }

 private:
  static Context::Facts facts(std::uint64_t seed, std::int64_t patch_size) {
    Context::Facts facts;
    facts.seed = seed;
    facts.image_size = 256;
    facts.patch_size = patch_size;
    facts.profile_length = 3;
    return facts;
  }

  Context context_;
  Made component_;
};

inline State saved(const Component& component) {
  State state;
  component.save(state);
  return state;
}

/// As the host loads: what was saved must be read, all of it.
inline void restore(Component& component, const State& state) {
  component.load(state);
  state.require_all_read();
}

/// What a predictor is to learn.
struct Exercise {
  PredictorInput input;
  torch::Tensor masks;
};

inline torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& masks) {
  return torch::binary_cross_entropy_with_logits(logits, masks);
}

}  // namespace nbs::test
