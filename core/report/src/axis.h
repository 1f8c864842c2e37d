// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nbs::report {

/// Round numbers, steps of 1, 2 or 5 times a power of ten, that cover [low, high] inside it: about `wanted` of them, at
/// least one and at most `wanted` + 2 (taken as 3 if less), rising. None unless low < high and both are finite, or
/// where the range is so narrow for its place that round numbers in it cannot be told apart (see visible_range()).
std::vector<double> round_ticks(double low, double high, int wanted);

/// Powers of ten in [low, high], every so many of them that there are at most ten, or with 2 and 5 times them where
/// there would be fewer than three; rising. None unless 0 < low < high and both are finite.
std::vector<double> logarithmic_ticks(double low, double high);

/// A tick's number with the digits that ticks `step` apart need to look different.
std::string tick_text(double value, double step);

/// The range of an axis.
struct AxisRange {
  double low = 0;
  double high = 0;
};

/// The range itself, or a wider one about it where a curve in it could not be told from a constant: less than a
/// millionth of its largest value, or less than about 1e-299. Of any two finite numbers with low <= high it makes a
/// range in which round_ticks() finds ticks.
AxisRange visible_range(double low, double high);

/// Where `value` lies between low (0) and high (1), without an overflow on the way; low < high, all finite.
double share_of(double value, double low, double high);

}  // namespace nbs::report
