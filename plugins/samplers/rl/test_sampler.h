// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "nbs/context.h"

#include "sampler.h"

namespace nbs::rl {

inline Options small_options() {
  auto options = schema_of<Options>().make();
  options.window = 16;
  options.step = 4;
  options.channels = {8, 8};
  options.hidden = 32;
  options.entropy_bonus = 0;
  options.gamma = 0.9;
  options.clip = 0;
  return options;
}

/// A sampler with a context of its own.
struct Made {
  Made(const Options& options, std::uint64_t seed)
      : context(facts(seed), [](const std::string&) {}), sampler(options, context) {}
  static Context::Facts facts(std::uint64_t seed) {
    Context::Facts facts;
    facts.seed = seed;
    return facts;
  }
  Context context;
  RlSampler sampler;
};

inline const Memory& memory_of(const Rollout& rollout) {
  return dynamic_cast<const Memory&>(*rollout.memory);
}

inline State saved(const RlSampler& sampler) {
  State state;
  sampler.save(state);
  return state;
}

}  // namespace nbs::rl
