// SPDX-License-Identifier: Apache-2.0
#include "nbs/base/number.h"

#include <charconv>
#include <cmath>
#include <system_error>

#include <fmt/format.h>

#include "nbs/error.h"

namespace nbs {

namespace {

// Independent of the locale, unlike std::stod, which also takes hexadecimal and leading blanks.
template <typename Number>
std::errc read_whole(const std::string& text, Number& value) {
  const char* const end = text.data() + text.size();
  const auto [stopped, reason] = std::from_chars(text.data(), end, value);
  if (reason != std::errc{}) return reason;
  return stopped == end ? std::errc{} : std::errc::invalid_argument;
}

[[noreturn]] void refuse(const std::string& text, const std::string& what, const std::string& wanted,
                         const std::string& advice) {
  throw Error(fmt::format("{} is \"{}\", but {} is wanted{}", what, text, wanted, advice));
}

}  // namespace

double parse_number(const std::string& text, const std::string& what, double least, double most) {
  const auto wanted = fmt::format("a number from {} to {}", least, most);
  double value = 0;
  const auto problem = read_whole(text, value);
  if (problem == std::errc::result_out_of_range)
    refuse(text, what, wanted, ", and this is too small or too large for a number of double precision");
  if (problem != std::errc{} || !std::isfinite(value)) {
    const bool comma = text.find(',') != std::string::npos;
    refuse(text, what, wanted, comma ? "; write a point, not a comma" : "; write it in decimals, for example 0.5");
  }
  if (value < least || value > most) refuse(text, what, wanted, "");
  return value;
}

std::int64_t parse_integer(const std::string& text, const std::string& what, std::int64_t least, std::int64_t most) {
  std::int64_t value = 0;
  const auto problem = read_whole(text, value);
  if (problem != std::errc{} || value < least || value > most)
    refuse(text, what, fmt::format("an integer from {} to {}", least, most), "");
  return value;
}

std::string threshold_text(double threshold) {
  auto text = fmt::format("{:.3f}", threshold);
  if (text == "0.000" && threshold > 0) return fmt::format("{:.2g}", threshold);
  if (text == "1.000" && threshold < 1) return fmt::format("{:.9g}", threshold);
  return text;
}

}  // namespace nbs
