// SPDX-License-Identifier: Apache-2.0
#include "html.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "web_files.h"

namespace nbs::report {

namespace {

// How many bytes of UTF-8 (RFC 3629) the character at `at` takes; 0 if they are none.
std::size_t character_length(const std::string& text, std::size_t at) {
  const auto byte = [&](std::size_t i) {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : static_cast<unsigned char>(0);
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xC2 && first < 0xE0   ? 2
                             : (first & 0xF0U) == 0xE0       ? 3
                             : first >= 0xF0 && first < 0xF5 ? 4
                                                             : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return 0;
  }
  // Longer than needed, a surrogate, or beyond the last character.
  const unsigned second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) || (first == 0xF0 && second < 0x90) ||
      (first == 0xF4 && second >= 0x90))
    return 0;
  return length;
}

// The number that a cell begins with, as it is shown.
std::optional<double> shown_number(const Cell& cell) {
  if (!cell.number || cell.html.empty()) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(cell.html.c_str(), &end);
  if (end == cell.html.c_str() || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::size_t length = character_length(text, i);
    if (length != 1) {
      out += length == 0 ? "\xEF\xBF\xBD" : text.substr(i, length);
      i += length == 0 ? 0 : length - 1;
      continue;
    }
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // Control characters other than white space are not allowed in HTML at all.
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string link_to(const std::string& relative_path) {
  std::string out;
  for (const char c : relative_path) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || c == '/';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string shortened(const std::string& text, std::size_t most) {
  std::size_t characters = 0;
  std::size_t end = 0;  // behind the last character but one that is kept
  for (std::size_t i = 0; i < text.size(); i += std::max<std::size_t>(1, character_length(text, i))) {
    if (++characters == most) end = i;
    if (characters > most) return text.substr(0, end) + "…";
  }
  return text;
}

std::string page(const std::string& title, const std::string& body, const std::vector<const char*>& scripts) {
  std::string all;
  std::string styles;  // the library's first, so that the page's has the last word
  if (!scripts.empty()) {
    styles = std::string(kChartLibraryStyle) + "\n";
    all = fmt::format("<script>\n{}\n</script>\n", kChartLibrary);
  }
  styles += kPageStyle;
  for (const char* script : scripts)
    all += fmt::format("<script>\n{}</script>\n", script);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src 'self' file: data:; "
      "style-src "
      "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n{}</body>\n</html>\n",
      escaped(title), styles, body, all);
}

Cell text_cell(const std::string& text) {
  return {escaped(text), false, false};
}

Cell number_cell(std::optional<double> value, int digits) {
  return {number_text(value, digits), true, false};
}

std::string number_text(std::optional<double> value, int digits) {
  if (!value) return "–";
  return std::abs(*value) < 1e9 ? fmt::format("{:.{}f}", *value, digits) : fmt::format("{:.4g}", *value);
}

std::string table(const std::vector<std::string>& heads, const std::vector<std::vector<Cell>>& rows) {
  std::string out = "<div class=\"scroll\"><table>\n<thead><tr>";
  for (std::size_t i = 0; i < heads.size(); ++i) {
    const bool number = !rows.empty() && i < rows.front().size() && rows.front()[i].number;
    out += fmt::format("<th{}>{}</th>", number ? " class=\"n\"" : "", escaped(heads[i]));
  }
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    out += "<tr>";
    for (const auto& cell : row) {
      const char* kind =
          cell.number ? (cell.strong ? " class=\"n s\"" : " class=\"n\"") : (cell.strong ? " class=\"s\"" : "");
      out += fmt::format("<td{}>{}</td>", kind, cell.html);
    }
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table></div>\n";
}

namespace {

// The highest number of each ranked column, by what the cells show, so that equal ones are all the best.
std::vector<std::optional<double>> best_of(const std::vector<Column>& columns, const std::vector<Row>& rows) {
  std::vector<std::optional<double>> best(columns.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < columns.size() && i < row.cells.size(); ++i) {
      const auto value = shown_number(row.cells[i]);
      if (row.counts && columns[i].ranked && value && (!best[i] || *value > *best[i])) best[i] = value;
    }
  }
  return best;
}

std::string cell_html(const Cell& cell, bool best) {
  std::string kinds = cell.number ? "n" : "";
  if (cell.strong) kinds += kinds.empty() ? "s" : " s";
  if (best) kinds += kinds.empty() ? "top" : " top";
  return fmt::format("<td{}{}>{}</td>", kinds.empty() ? "" : fmt::format(" class=\"{}\"", kinds),
                     cell.key ? fmt::format(" data-key=\"{:.6g}\"", *cell.key) : "", cell.html);
}

}  // namespace

std::string sortable_table(const std::vector<Column>& columns, const std::vector<Row>& rows, bool filter,
                           const std::string& attributes) {
  std::string out = fmt::format("<div class=\"scroll\"><table class=\"sortable\"{}{}>\n<thead><tr>",
                                filter ? " data-filter=\"\"" : "", attributes);
  for (const auto& column : columns) {
    out += fmt::format("<th scope=\"col\"{}>{}</th>",
                       column.ranked   ? " class=\"n ranked\""
                       : column.number ? " class=\"n\""
                                       : "",
                       escaped(column.head));
  }
  out += "</tr></thead>\n<tbody>\n";
  const auto best = best_of(columns, rows);
  std::size_t shown = 0;
  for (const auto& row : rows) {
    const bool later = filter && shown++ >= kRowsAtFirst;
    out += fmt::format("<tr{}{}{}>", row.counts ? "" : " class=\"uncounted\"", row.attributes,
                       later ? " hidden=\"\"" : "");
    for (std::size_t i = 0; i < row.cells.size(); ++i) {
      const bool is_best = row.counts && i < best.size() && best[i] && shown_number(row.cells[i]) == best[i];
      out += cell_html(row.cells[i], is_best);
    }
    out += "</tr>\n";
  }
  out += "</tbody>\n</table></div>\n";
  if (shown > kRowsAtFirst) out += "<noscript><style>tr[hidden] { display: table-row; }</style></noscript>\n";
  return out;
}

}  // namespace nbs::report
