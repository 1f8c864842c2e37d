// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace nbs::report {

/// Text for HTML and SVG, as content or in a quoted attribute. Bytes that are no UTF-8 become U+FFFD.
std::string escaped(const std::string& text);

/// At most `most` characters of UTF-8, the last of which stands for all that was left out.
std::string shortened(const std::string& text, std::size_t most);

/// A relative link to a file: each part percent-encoded, "/" kept.
std::string link_to(const std::string& relative_path);

/// A whole page: head, inline style for light and dark, `body` (which is HTML), and scripts that run after it, in this
/// order. With scripts there is the library for charts, once. The page forbids itself all that comes from elsewhere.
std::string page(const std::string& title, const std::string& body, const std::vector<const char*>& scripts = {});

/// A cell of a table.
struct Cell {
  std::string html;  ///< escaped already
  bool number = false;
  bool strong = false;
  std::optional<double> key = std::nullopt;  ///< what it is sorted by, if not by its text
};

Cell text_cell(const std::string& text);
/// `digits` after the point; a dash for none.
Cell number_cell(std::optional<double> value, int digits = 3);

/// A table that scrolls sideways where the screen is too narrow. Column heads are plain text.
std::string table(const std::vector<std::string>& heads, const std::vector<std::vector<Cell>>& rows);

constexpr std::size_t kRowsAtFirst = 200;

/// A column of a table that scripts make sortable.
struct Column {
  std::string head;
  bool number = false;
  bool ranked = false;  ///< whether the highest number is the best
};

struct Row {
  std::vector<Cell> cells;
  bool counts = true;        ///< whether it may hold the best of a column
  std::string attributes{};  ///< HTML, with a blank before it
};

/// A table that a click on a head sorts; the best of each ranked column is marked. With `filter` there is a field for
/// words that rows must hold, and scripts show the first kRowsAtFirst rows until all are asked for: laying out
/// thousands takes seconds. `attributes`: HTML, with a blank before it.
std::string sortable_table(const std::vector<Column>& columns, const std::vector<Row>& rows, bool filter = false,
                           const std::string& attributes = "");

/// Fixed digits (four significant ones of a number of ten places or more), or an en dash for none.
std::string number_text(std::optional<double> value, int digits = 3);

}  // namespace nbs::report
