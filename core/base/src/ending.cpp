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
  return seconds_from("NBS_GRACE_SECONDS", 10);
}

int seconds_from(const char* name, int usual) {
  const char* const named = std::getenv(name);
  if (named == nullptr || *named == '\0') return usual;
  int seconds = 0;
  const char* const end = named + std::strlen(named);
  const auto [rest, problem] = std::from_chars(named, end, seconds);
  if (problem != std::errc() || rest != end || seconds < 1 || seconds > 3600)
    throw Error(fmt::format("{} is \"{}\", but must be a whole number from 1 to 3600", name, named));
  return seconds;
}

}  // namespace nbs
