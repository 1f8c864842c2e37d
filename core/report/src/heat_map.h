// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nbs::report {

/// A PNG of `side` x `side` pixels, row by row, as the address of a picture in a page: from dark (0) to bright (`most`)
/// in even steps for the eye. Values outside are cut off; `most` above 0.
std::string heat_map(const std::vector<double>& values, std::int64_t side, double most);

/// The colors of heat_map() as a CSS gradient from left to right.
std::string heat_gradient();

}  // namespace nbs::report
