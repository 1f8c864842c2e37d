// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <torch/version.h>

#include "nbs/tensor.h"

// The one place for what differs between LibTorch 1.13 and 2.x.

namespace nbs {

/// A CPU generator of its own with the given seed.
inline at::Generator make_generator(std::uint64_t seed) {
  return at::detail::createCPUGenerator(seed);
}

}  // namespace nbs
