// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace nbs {

/// "1 h 02 min", "3 min 20 s", "45 s". `seconds` is at least 0.
std::string duration_text(double seconds);

}  // namespace nbs
