// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>

#include "nbs/torch_compat.h"

namespace nbs {

/// Single random numbers from a component's generator, without the cost of making a tensor for each.
class Draw {
 public:
  /// `generator` must outlive it: that of the context does.
  explicit Draw(at::Generator& generator) : generator_(generator) {}

  /// 64 random bits: the seed of a generator of its own, for example.
  std::uint64_t bits() {
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    return at::check_generator<at::CPUGeneratorImpl>(generator_)->random64();
  }
  /// Uniform in [0, 1).
  double uniform() { return static_cast<double>(bits() >> 11) * 0x1.0p-53; }
  /// Uniform in 0 … bound - 1; bound >= 1.
  std::int64_t below(std::int64_t bound) { return static_cast<std::int64_t>(uniform() * static_cast<double>(bound)); }

 private:
  at::Generator& generator_;
};

}  // namespace nbs
