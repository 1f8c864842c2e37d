// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "target.h"

namespace nbs::fuzz {

/// The input of one run: a seed of the target with one to sixteen changes. It depends on the target, `seed` and `run`
/// alone, so that any input can be made again.
Seed mutated(const Target& target, std::uint64_t seed, std::uint64_t run);

}  // namespace nbs::fuzz
