// SPDX-License-Identifier: Apache-2.0
#include "numbers.h"

#include <cmath>

#include <fmt/format.h>

#include "nbs/run/progress.h"

#include "html.h"

namespace nbs::report {

std::string mean_text(const std::optional<Statistic>& value, int digits) {
  if (!value) return "–";
  if (!value->deviation) return number_text(value->mean, digits);
  return number_text(value->mean, digits) + " ± " + number_text(*value->deviation, digits);
}

std::string seconds_text(double seconds) {
  if (std::abs(seconds) >= 1e9) return fmt::format("{:.4g} s", seconds);
  return run::duration_text(seconds);
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text)
    out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string csv_number(std::optional<double> value) {
  return value ? fmt::format("{}", *value) : std::string();
}

std::string markdown_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      out += ' ';
      continue;
    }
    if (c == '|' || c == '*' || c == '_' || c == '`' || c == '<' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace nbs::report
