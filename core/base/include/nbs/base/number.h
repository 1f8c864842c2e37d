// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace nbs {

/// The decimal number that the whole of `text` is ("0.5", "1e-3"), from `least` to `most`. `what` is how an error calls
/// it ("--threshold"). Throws nbs::Error for anything else: nan, inf, hexadecimal, a comma, blanks, a number too small
/// or too large for a double.
double parse_number(const std::string& text, const std::string& what, double least, double most);

/// The same for a decimal integer.
std::int64_t parse_integer(const std::string& text, const std::string& what, std::int64_t least, std::int64_t most);

/// A threshold in three decimals, "0.431", or in as many digits as tell it from 0 and from 1: "1.3e-06", "0.999987".
/// Where anomalies are rare, so are probabilities that are not close to 0.
std::string threshold_text(double threshold);

}  // namespace nbs
