// SPDX-License-Identifier: Apache-2.0
// Level 2: what is known of each option, and that a pipeline may write out every default.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>

#include <fmt/format.h>

#include "check.h"
#include "specimen.h"

namespace nbs::plugin_test {

namespace {

std::string lower(std::string text) {
  for (char& c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

template <std::size_t N>
bool has_any(const std::string& text, const std::array<const char*, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return text.find(word) != text.npos; });
}

// A name that stands for a length or a time, while the sentence says in no unit what it counts.
bool lacks_unit(const OptionSpec& option) {
  static constexpr std::array<const char*, 9> kMeasured = {"size",  "radius", "height", "distance", "margin",
                                                           "sigma", "offset", "second", "window"};
  static constexpr std::array<const char*, 15> kUnits = {"pixel",     "patch",   "image", "second", "iteration",
                                                         "step",      "channel", "level", "share",  "side",
                                                         "deviation", "number",  "count", "ratio",  "percent"};
  const bool is_number = option.type == ValueType::integer || option.type == ValueType::real ||
                         option.type == ValueType::integers || option.type == ValueType::reals;
  return is_number && has_any(lower(option.name), kMeasured) && !has_any(lower(option.doc), kUnits);
}

void look_at(const Subject& subject, const OptionSpec& option, Notes& notes) {
  const auto label = fmt::format("the option {} of {}", option.name, subject.label());
  if (option.doc.empty()) {
    notes.fail(fmt::format("{} has no doc", label), "say in one sentence what it does, with .doc(\"…\")");
  } else if (lacks_unit(option)) {
    notes.note(fmt::format("{} is a measure by its name, but its doc names no unit", label),
               "say in what it counts, for example pixels");
  }
  const bool is_number = option.type == ValueType::integer || option.type == ValueType::real;
  if (is_number && !option.minimum && !option.maximum) {
    notes.note(fmt::format("{} has no bounds, so a pipeline may set it to any number", label),
               "add .range(), .at_least() or .at_most()");
  }
}

}  // namespace

void check_options(const Subject& subject, Notes& notes) {
  const auto& options = subject.plugin.options;
  notes.tried(fmt::format("{} options: docs and bounds", options.size()));
  for (const auto& option : options)
    look_at(subject, option, notes);
  Specimen::make(subject, fitting_facts(subject), 1, defaults_of(subject.plugin));
}

}  // namespace nbs::plugin_test
