// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/duration.h"

#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace nbs {

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} s", whole);
}

}  // namespace nbs
