// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nbs::report {

/// A table of texts: the first row holds the heads, the first `left` columns are set left, the others right.
struct Grid {
  std::vector<std::vector<std::string>> rows;
  std::size_t left = 1;
  /// In text only: a line above the heads, each text over that many columns.
  std::vector<std::pair<std::string, std::size_t>> above;
};

/// Columns one blank apart, no trailing blanks.
std::string text_of(const Grid& grid);
std::string markdown_of(const Grid& grid);

}  // namespace nbs::report
