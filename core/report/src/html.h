// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace nbs::report {

/// Text for HTML and SVG, as content or in a quoted attribute. Bytes that are no UTF-8 become U+FFFD.
std::string escaped(const std::string& text);

/// A relative link to a file: each part percent-encoded, "/" kept.
std::string link_to(const std::string& relative_path);

/// A whole page: head, inline style for light and dark, and `body` (which is HTML).
std::string page(const std::string& title, const std::string& body);

/// A cell of a table.
struct Cell {
  std::string html;  ///< escaped already
  bool number = false;
  bool strong = false;
};

Cell text_cell(const std::string& text);
/// `digits` after the point; a dash for none.
Cell number_cell(std::optional<double> value, int digits = 3);

/// A table that scrolls sideways where the screen is too narrow. Column heads are plain text.
std::string table(const std::vector<std::string>& heads, const std::vector<std::vector<Cell>>& rows);

/// Fixed digits (four significant ones of a number of ten places or more), or an en dash for none.
std::string number_text(std::optional<double> value, int digits = 3);

}  // namespace nbs::report
