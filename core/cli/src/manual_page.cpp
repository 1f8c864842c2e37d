// SPDX-License-Identifier: Apache-2.0
#include "manual_page.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

namespace nbs::cli {

namespace {

// What Markdown would take for markup. Terms and values stand between backquotes and need less.
std::string markdown_text(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|' || c == '<' || c == '*' || c == '_' || c == '\\') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string markdown_code(const std::string& text) {
  if (text.empty()) return "";
  std::string escaped;
  for (const char c : text)
    escaped += c == '|' ? "\\|" : std::string(1, c);
  return "`" + escaped + "`";
}

// What troff would take for a request or an escape.
std::string man_text(const std::string& text) {
  std::string escaped;
  bool first = true;
  for (const char c : text) {
    if (first && (c == '.' || c == '\'')) escaped += "\\&";
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
    first = c == '\n';
  }
  return escaped;
}

std::vector<std::string> paragraphs_of(const std::string& text) {
  std::vector<std::string> paragraphs;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find("\n\n", at), text.size());
    if (end > at) paragraphs.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return paragraphs;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

void add_markdown(const ManualPart& part, std::string& out) {
  if (!part.heading.empty()) out += fmt::format("\n## {}\n", part.heading);
  for (const auto& paragraph : paragraphs_of(part.text))
    out += "\n" + markdown_text(paragraph) + "\n";
  if (!part.entries.empty()) {
    out += "\n| name | values | default | meaning |\n|---|---|---|---|\n";
    for (const auto& entry : part.entries) {
      out += fmt::format("| {} | {} | {} | {} |\n", markdown_code(entry.term), markdown_text(entry.values),
                         markdown_code(entry.initial), markdown_text(entry.text));
    }
  }
  if (!part.example.empty()) out += "\n```\n" + part.example + "\n```\n";
}

void add_man(const ManualPart& part, std::string& out) {
  if (!part.heading.empty()) out += fmt::format(".SH {}\n", man_text(upper(part.heading)));
  for (const auto& paragraph : paragraphs_of(part.text))
    out += ".PP\n" + man_text(paragraph) + "\n";
  for (const auto& entry : part.entries) {
    out += fmt::format(".TP\n\\fB{}\\fR", man_text(entry.term));
    if (!entry.values.empty()) out += fmt::format(" ({})", man_text(entry.values));
    if (!entry.initial.empty()) out += fmt::format(", default {}", man_text(entry.initial));
    out += "\n" + man_text(entry.text) + "\n";
  }
  if (!part.example.empty()) out += ".PP\n.nf\n" + man_text(part.example) + "\n.fi\n";
}

}  // namespace

std::string to_markdown(const ManualPage& page) {
  std::string out = "<!-- Written by `nbs reference`: change the declarations, not this file. -->\n";
  out += fmt::format("# {}: {}\n", page.name, markdown_text(page.title));
  for (const auto& part : page.parts)
    add_markdown(part, out);
  return out;
}

std::string to_man(const ManualPage& page, const std::string& version) {
  std::string out = fmt::format(".TH {} {} \"\" \"nbs {}\" \"nbs\"\n.SH NAME\n{} \\- {}\n", man_text(upper(page.name)),
                                page.section, version, man_text(page.name), man_text(page.title));
  for (const auto& part : page.parts)
    add_man(part, out);
  return out;
}

}  // namespace nbs::cli
