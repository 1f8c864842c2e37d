// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/ending.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "nbs/error.h"

namespace nbs {

int grace_seconds() {
  constexpr int kUsual = 10;
  const char* const named = std::getenv("NBS_GRACE_SECONDS");
  if (named == nullptr || *named == '\0') return kUsual;
  int seconds = 0;
  const char* const end = named + std::strlen(named);
  const auto [rest, problem] = std::from_chars(named, end, seconds);
  if (problem != std::errc() || rest != end || seconds < 1 || seconds > 3600)
    throw Error(fmt::format("NBS_GRACE_SECONDS is \"{}\", but must be a whole number from 1 to 3600", named));
  return seconds;
}

}  // namespace nbs
