// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nbs::report {

/// Round numbers, steps of 1, 2 or 5 times a power of ten, that cover [low, high] inside it: about `wanted` of them.
/// low < high, both finite.
std::vector<double> round_ticks(double low, double high, int wanted);

/// Powers of ten in [low, high], with 2 and 5 times them where there would be fewer than three. 0 < low < high.
std::vector<double> logarithmic_ticks(double low, double high);

/// A tick's number with the decimals that ticks `step` apart need to look different.
std::string tick_text(double value, double step);

}  // namespace nbs::report
