// SPDX-License-Identifier: Apache-2.0
#include "option_text.h"

#include <fmt/format.h>

namespace nbs::cli {

std::string range_text(const OptionSpec& option) {
  const auto number = [](double x) { return fmt::format("{:.12g}", x); };
  if (!option.choices.empty()) return fmt::format("one of \"{}\"", fmt::join(option.choices, "\", \""));
  if (option.minimum && option.maximum) return number(*option.minimum) + " to " + number(*option.maximum);
  if (option.minimum) return "at least " + number(*option.minimum);
  if (option.maximum) return "at most " + number(*option.maximum);
  return "";
}

void print_json(const nlohmann::ordered_json& json) {
  fmt::print("{}\n", json.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
}

void print_options(const std::vector<OptionSpec>& options) {
  for (const auto& option : options) {
    fmt::print("  {} ({}", option.name, type_name(option.type));
    if (const auto range = range_text(option); !range.empty()) fmt::print(", {}", range);
    fmt::print(")  default {}\n      {}\n", to_text(option.default_value), option.doc);
    if (!option.tuning.empty()) fmt::print("      nbs tune tries {:g}\n", fmt::join(option.tuning, ", "));
  }
}

}  // namespace nbs::cli
