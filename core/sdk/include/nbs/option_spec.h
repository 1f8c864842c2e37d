// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "nbs/error.h"

// What is known of an option without its plugin: values, types, limits. No LibTorch here: the front end reads this too.

namespace nbs {

/// The value of an option. Integers are 64 bit, reals double.
using Value = std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, std::vector<double>,
                           std::vector<std::string>>;

enum class ValueType { boolean, integer, real, text, integers, reals, texts };

/// The type held by `value`.
inline ValueType type_of(const Value& value) {
  return static_cast<ValueType>(value.index());
}

/// The name of a type as users read it: "boolean", "integer", "list of reals", …
inline const char* type_name(ValueType type) {
  static constexpr const char* kNames[] = {"boolean",          "integer",       "real",         "text",
                                           "list of integers", "list of reals", "list of texts"};
  return kNames[static_cast<int>(type)];
}

/// Everything that is known of one option without its plugin: plain data, printable, comparable.
struct OptionSpec {
  std::string name;                     ///< as pipeline files have it
  ValueType type = ValueType::boolean;  ///< of default_value, and of all other values
  Value default_value;                  ///< the initializer of the member
  std::optional<double> minimum;        ///< inclusive; of each element for lists
  std::optional<double> maximum;        ///< inclusive; of each element for lists
  std::vector<std::string> choices;     ///< for texts: the allowed ones; empty = any
  std::vector<double> tuning;           ///< values worth trying when a pipeline is tuned; empty = not tuned
  bool path = false;                ///< a text that names a file or folder, relative to the pipeline file it stands in
  std::vector<std::string> former;  ///< names that the option had in earlier versions
  std::string doc;                  ///< one or two sentences
};

/// Whether a pipeline file can hold `name` as it is, as the name of an option: TOML's bare keys, not empty.
inline bool is_bare_key(const std::string& name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), fits);
}

/// Options by name, as read from a file. Order does not matter.
using OptionValues = std::vector<std::pair<std::string, Value>>;

/// `value` as users would write it in TOML.
inline std::string to_text(const Value& value) {
  std::ostringstream out;
  out.precision(17);
  const auto quote = [](const std::string& text) { return '"' + text + '"'; };
  const auto list = [&](const auto& items, const auto& print) {
    out << '[';
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out << ", ";
      print(items[i]);
    }
    out << ']';
  };
  const auto real = [&](double x) {
    // The shortest text that reads back to the same bits, with a mark that it is a real. Sizes that people write out
    // are written out: 80, not 8e+01.
    const bool plain = std::abs(x) >= 1e-4 && std::abs(x) < 1e15;
    for (int digits = 1; digits <= 17; ++digits) {
      std::ostringstream attempt;
      attempt.precision(digits);
      attempt << x;
      if (plain && digits < 17 && attempt.str().find('e') != std::string::npos) continue;
      // Not std::stod, which throws for the numbers nearest to zero.
      if (digits == 17 || std::strtod(attempt.str().c_str(), nullptr) == x) {
        const std::string text = attempt.str();
        out << text;
        if (text.find_first_of(".eni") == std::string::npos) out << ".0";
        return;
      }
    }
  };
  std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, bool>) {
          out << (held ? "true" : "false");
        } else if constexpr (std::is_same_v<T, std::int64_t>) {
          out << held;
        } else if constexpr (std::is_same_v<T, double>) {
          real(held);
        } else if constexpr (std::is_same_v<T, std::string>) {
          out << quote(held);
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          list(held, [&](const std::string& text) { out << quote(text); });
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          list(held, real);
        } else {
          list(held, [&](std::int64_t x) { out << x; });
        }
      },
      value);
  return out.str();
}

/// Why `value` is not allowed for `spec`, as the end of a sentence ("must be at least 1, but is
/// 0"), or nothing. An integer is allowed where a real is wanted; nothing else is converted.
inline std::optional<std::string> problem_with(const OptionSpec& spec, const Value& value) {
  const bool integer_for_real = (spec.type == ValueType::real && type_of(value) == ValueType::integer) ||
                                (spec.type == ValueType::reals && type_of(value) == ValueType::integers);
  // An empty TOML list has no element type of its own.
  const bool empty_list = std::visit(
      [](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::vector<std::int64_t>> || std::is_same_v<T, std::vector<double>> ||
                      std::is_same_v<T, std::vector<std::string>>) {
          return held.empty();
        } else {
          return false;
        }
      },
      value);
  if (type_of(value) != spec.type && !integer_for_real && !(empty_list && spec.type >= ValueType::integers)) {
    return std::string("must be of type ") + type_name(spec.type) + ", but is the " + type_name(type_of(value)) + " " +
           to_text(value);
  }
  std::optional<std::string> problem;
  const bool of_integers = spec.type == ValueType::integer || spec.type == ValueType::integers;
  const auto bound = [of_integers](double x) {
    return of_integers ? std::to_string(static_cast<std::int64_t>(x)) : to_text(Value{x});
  };
  const auto check_number = [&](double x) {
    if (problem) return;
    if (x != x) problem = "must be a number, but is nan";
    if (spec.minimum && x < *spec.minimum)
      problem = "must be at least " + bound(*spec.minimum) + ", but is " + to_text(value);
    if (spec.maximum && x > *spec.maximum)
      problem = "must be at most " + bound(*spec.maximum) + ", but is " + to_text(value);
  };
  const auto check_text = [&](const std::string& text) {
    if (problem || spec.choices.empty()) return;
    for (const auto& choice : spec.choices) {
      if (choice == text) return;
    }
    problem = "must be one of ";
    for (std::size_t i = 0; i < spec.choices.size(); ++i) {
      *problem += (i > 0 ? ", " : "") + ('"' + spec.choices[i] + '"');
    }
    *problem += ", but is \"" + text + '"';
  };
  std::visit(
      [&](const auto& held) {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::string>) {
          check_text(held);
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          for (const auto& text : held)
            check_text(text);
        } else if constexpr (std::is_same_v<T, std::vector<std::int64_t>> || std::is_same_v<T, std::vector<double>>) {
          for (const auto& x : held)
            check_number(static_cast<double>(x));
        } else if constexpr (!std::is_same_v<T, bool>) {
          check_number(static_cast<double>(held));
        }
      },
      value);
  return problem;
}

/// Why no pipeline could use an option that is declared so, as the end of a sentence ("has …"), or nothing: a name that
/// is no bare key, bounds or values that are not finite, or that contradict each other. Not whether the default is
/// allowed: problem_with() says that.
inline std::optional<std::string> problem_with_declaration(const OptionSpec& spec) {
  if (!is_bare_key(spec.name))
    return "has a name that pipeline files cannot hold; use letters, digits, _ and - alone, and at least one of them";
  const auto number = [](double x) { return to_text(Value{x}); };
  const bool whole = spec.type == ValueType::integer || spec.type == ValueType::integers;
  for (const auto& [bound, word, other] :
       {std::make_tuple(spec.minimum, "lower", ".at_most()"), std::make_tuple(spec.maximum, "upper", ".at_least()")}) {
    if (!bound) continue;
    if (!std::isfinite(*bound)) {
      return std::string("has the ") + word + " bound " + number(*bound) +
             ", which is no number; leave it out: " + other + " gives the other bound alone";
    }
    if (whole && *bound != std::floor(*bound)) {
      return std::string("is an integer, but has the ") + word + " bound " + number(*bound) +
             "; give it a whole number, or make the option a double";
    }
  }
  if (spec.minimum && spec.maximum && *spec.minimum > *spec.maximum) {
    return "has the lower bound " + number(*spec.minimum) + " and the upper bound " + number(*spec.maximum) +
           ", so no value is allowed; exchange them";
  }
  const auto* const real = std::get_if<double>(&spec.default_value);
  const auto* const reals = std::get_if<std::vector<double>>(&spec.default_value);
  const auto defaults = real != nullptr    ? std::vector<double>{*real}
                        : reals != nullptr ? *reals
                                           : std::vector<double>();
  for (const double x : defaults) {
    if (!std::isfinite(x))
      return "has the default " + to_text(spec.default_value) + ", which is no number; choose a finite one";
  }
  for (const double x : spec.tuning) {
    const bool outside = (spec.minimum && x < *spec.minimum) || (spec.maximum && x > *spec.maximum);
    if (!std::isfinite(x) || outside || (whole && x != std::floor(x)))
      return "has the value " + number(x) + " in .tune(), which the option itself does not allow; take it out";
  }
  return std::nullopt;
}

}  // namespace nbs
