// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

namespace nbs::test {

inline std::string contents(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++count;
  return count;
}

/// What is wrong with a page, or an empty text: every tag is closed in order, attributes are quoted, text holds no bare
/// "<" or "&", and scripts are in the page. Stricter than HTML, since our own pages have no reason to be loose.
inline std::string markup_problem(const std::string& html) {
  static const std::set<std::string> kVoid = {"meta", "img", "br", "link", "!doctype"};
  static const std::set<std::string> kEntities = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
  std::vector<std::string> open;
  std::size_t i = 0;
  while (i < html.size()) {
    if (html[i] == '&') {
      const std::size_t end = html.find(';', i);
      if (end == std::string::npos || kEntities.count(html.substr(i, end - i + 1)) == 0)
        return "a bare & at: " + html.substr(i, 40);
    }
    if (html[i] == '>') return "a bare > at: " + html.substr(i, 40);
    if (html[i] != '<') {
      ++i;
      continue;
    }
    if (html.compare(i, 4, "<!--") == 0) {
      i = html.find("-->", i);
      if (i == std::string::npos) return "a comment that does not end";
      i += 3;
      continue;
    }
    ++i;
    const bool closing = i < html.size() && html[i] == '/';
    if (closing) ++i;
    std::string name;
    while (i < html.size() && html[i] != '>' && html[i] != '/' &&
           std::isspace(static_cast<unsigned char>(html[i])) == 0)
      name += static_cast<char>(std::tolower(static_cast<unsigned char>(html[i++])));
    if (name.empty()) return "a bare < at: " + html.substr(i - 1, 40);
    bool quoted = false;
    bool self_closing = false;
    while (i < html.size() && (quoted || html[i] != '>')) {
      if (html[i] == '"') quoted = !quoted;
      if (quoted && html[i] == '<') return "a < in an attribute of " + name;
      if (!quoted && html[i] == '=' && html[i + 1] != '"') return "an attribute without quotes in " + name;
      self_closing = html[i] == '/';
      ++i;
    }
    if (i == html.size()) return "a tag that does not end: " + name;
    ++i;
    if (name == "script" && !closing) {  // its text is no markup
      i = html.find("</script>", i);
      if (i == std::string::npos) return "a script that does not end";
    }
    if (kVoid.count(name) > 0 || self_closing) continue;
    if (!closing) {
      open.push_back(name);
      if (name == "style") {  // its ">" selectors are no markup
        i = html.find("</style>", i);
        if (i == std::string::npos) return "a style that does not end";
      }
    } else if (open.empty() || open.back() != name) {
      return "</" + name + "> closes " + (open.empty() ? "nothing" : "<" + open.back() + ">");
    } else {
      open.pop_back();
    }
  }
  return open.empty() ? std::string() : "<" + open.back() + "> is never closed";
}

/// A page without the text of its scripts and styles, which are ours and not made of files.
inline std::string without_scripts(const std::string& html) {
  std::string rest;
  std::size_t at = 0;
  while (at < html.size()) {
    const auto script = html.find("<script", at);
    const auto style = html.find("<style", at);
    const auto begin = std::min(script, style);
    rest += html.substr(at, begin - at);
    if (begin == std::string::npos) break;
    at = html.find(begin == script ? "</script>" : "</style>", begin);
  }
  return rest;
}

/// The part of a page below the heading that begins with `title`, up to the next one; empty if there is none.
inline std::string part_of(const std::string& html, const std::string& title) {
  const auto begin = html.find("<h2>" + title);
  return begin == std::string::npos ? std::string() : html.substr(begin, html.find("<h2>", begin + 4) - begin);
}

/// The texts of the elements that hold JSON for scripts, in order.
inline std::vector<std::string> json_elements(const std::string& html) {
  std::vector<std::string> all;
  const std::string begin = "<script type=\"application/json\"";
  for (std::size_t at = html.find(begin); at != std::string::npos; at = html.find(begin, at + 1)) {
    const auto from = html.find('>', at) + 1;
    all.push_back(html.substr(from, html.find("</script>", from) - from));
  }
  return all;
}

/// The values of all attributes of this name, in order, with %XX decoded.
inline std::vector<std::string> attributes(const std::string& html, const std::string& name) {
  std::vector<std::string> values;
  const std::string begin = " " + name + "=\"";
  for (std::size_t at = html.find(begin); at != std::string::npos; at = html.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    const std::string raw = html.substr(from, html.find('"', from) - from);
    std::string value;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] == '%') {
        value += static_cast<char>(std::stoi(raw.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        value += raw[i];
      }
    }
    values.push_back(value);
  }
  return values;
}

}  // namespace nbs::test
