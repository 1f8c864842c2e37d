// SPDX-License-Identifier: Apache-2.0
#include "grid.h"

#include <algorithm>

#include "numbers.h"

namespace nbs::report {

namespace {

// Characters of UTF-8 text; all that we write take one column.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string padded(const std::string& text, std::size_t width, bool left) {
  const std::string blanks(width - std::min(width, width_of(text)), ' ');
  return left ? text + blanks : blanks + text;
}

std::string without_trailing_blanks(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

}  // namespace

std::string text_of(const Grid& grid) {
  std::vector<std::size_t> widths(grid.rows.front().size(), 0);
  for (const auto& row : grid.rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  }
  std::string out;
  if (!grid.above.empty()) {
    std::string line;
    std::size_t column = 0;
    for (const auto& [text, columns] : grid.above) {
      std::size_t width = columns - 1;
      for (std::size_t i = 0; i < columns; ++i)
        width += widths[column++];
      line += padded(text, width, true) + " ";
    }
    out += without_trailing_blanks(line) + "\n";
  }
  for (const auto& row : grid.rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i)
      line += padded(row[i], widths[i], i < grid.left) + " ";
    out += without_trailing_blanks(line) + "\n";
  }
  return out;
}

std::string markdown_of(const Grid& grid) {
  std::string out;
  for (std::size_t k = 0; k < grid.rows.size(); ++k) {
    out += "|";
    for (const auto& cell : grid.rows[k])
      out += " " + markdown_text(cell) + " |";
    out += "\n";
    if (k > 0) continue;
    out += "|";
    for (std::size_t i = 0; i < grid.rows[k].size(); ++i)
      out += i < grid.left ? "---|" : "---:|";
    out += "\n";
  }
  return out;
}

}  // namespace nbs::report
