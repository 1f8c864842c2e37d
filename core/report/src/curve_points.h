// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "nbs/record/metrics_file.h"

namespace nbs::report {

/// The lowest and the highest point of each of `most` / 2 stretches, so that no peak is lost; the points themselves if
/// there are at most `most`.
std::vector<record::Point> thinned(const std::vector<record::Point>& points, std::size_t most);

/// A curve in pieces: it is broken where it is not finite, and, if it was `reported` in equal steps, where it was not
/// for a while. Their points are finite; a piece may have none.
std::vector<std::vector<record::Point>> pieces_of(const std::vector<record::Point>& points, bool reported = true);

}  // namespace nbs::report
