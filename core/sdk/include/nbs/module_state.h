// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/module.h"
#include "nbs/state.h"

namespace nbs {

/// Saves parameters and buffers of `module` under their names.
inline void save_module(const torch::nn::Module& module, State& state) {
  for (const auto& item : module.named_parameters())
    state.write("parameter." + item.key(), item.value());
  for (const auto& item : module.named_buffers())
    state.write("buffer." + item.key(), item.value());
}

/// Reads what save_module() wrote, into the live tensors. Throws nbs::Error if one is missing or of another shape.
inline void load_module(torch::nn::Module& module, const State& state) {
  for (const auto& item : module.named_parameters())
    state.read_into("parameter." + item.key(), item.value());
  for (const auto& item : module.named_buffers())
    state.read_into("buffer." + item.key(), item.value());
}

}  // namespace nbs
