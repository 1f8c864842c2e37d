// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// The version of the SDK, kApiMajor.kApiMinor, in one place: CMake reads this file, too. docs/compatibility.md says
// what may change with which of the two.

namespace nbs {

/// Raised when a plugin built before must not be loaded any more. Minor: when something was added
/// that older plugins need not know.
inline constexpr std::uint32_t kApiMajor = 7;
inline constexpr std::uint32_t kApiMinor = 0;

}  // namespace nbs
