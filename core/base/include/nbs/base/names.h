// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nbs {

/// Insertions, deletions, substitutions and swaps of neighbors that turn `a` into `b` (optimal string alignment).
std::size_t edit_distance(const std::string& a, const std::string& b);

/// The candidates that a misspelling of `name` may have meant, nearest first, at most three.
std::vector<std::string> nearest_names(const std::string& name, const std::vector<std::string>& candidates);

/// "; did you mean x or y?" or, if nothing is near, "".
std::string did_you_mean(const std::string& name, const std::vector<std::string>& candidates);

}  // namespace nbs
