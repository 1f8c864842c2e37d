// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "nbs/error.h"

// Options, declared once. From one declaration come defaults, checking, `nbs plugins NAME`,
// overrides, the resolved file, completion and documentation. No LibTorch here: the front end reads
// these headers too.

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
  std::string name;
  ValueType type = ValueType::boolean;
  Value default_value;
  std::optional<double> minimum;     ///< inclusive; of each element for lists
  std::optional<double> maximum;     ///< inclusive; of each element for lists
  std::vector<std::string> choices;  ///< for texts: the allowed ones; empty = any
  std::vector<double> tuning;        ///< values worth trying when a pipeline is tuned; empty = not tuned
  bool path = false;                 ///< a text that names a file or folder, relative to the pipeline file it stands in
  std::vector<std::string> former;   ///< names that the option had in earlier versions
  std::string doc;
};

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
  const auto check_number = [&](double x) {
    if (problem) return;
    if (x != x) problem = "must be a number, but is nan";
    if (spec.minimum && x < *spec.minimum)
      problem = "must be at least " + to_text(Value{*spec.minimum}) + ", but is " + to_text(value);
    if (spec.maximum && x > *spec.maximum)
      problem = "must be at most " + to_text(Value{*spec.maximum}) + ", but is " + to_text(value);
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

/// Enumerations are texts to users: the words for their values, in the order in which they are listed.
template <typename T>
using ChoiceNames = std::vector<std::pair<std::string, T>>;

/// The word for a value. Throws nbs::Error if it has none.
template <typename T>
std::string choice_name(T value, const ChoiceNames<T>& names) {
  for (const auto& [name, named] : names) {
    if (named == value) return name;
  }
  throw Error("a value of an option has no name among its choices; add it to .choices()");
}

/// The value that a word stands for. Throws nbs::Error, which lists the words, if it is none of them.
template <typename T>
T choice_value(const std::string& word, const ChoiceNames<T>& names) {
  std::string known;
  for (const auto& [name, named] : names) {
    if (name == word) return named;
    known += (known.empty() ? "" : ", ") + name;
  }
  throw Error('"' + word + "\" is none of: " + known);
}

/// Describes the type of a member: what its elements are, and whether it is a list.
template <typename T>
struct OptionType {
  using Element = T;
  static constexpr bool kList = false;
};
template <typename T>
struct OptionType<std::vector<T>> {
  using Element = T;
  static constexpr bool kList = true;
};

/// Whether T may be the type of an option: bool, int64_t, double, string or an enumeration, or a vector of the last
/// four.
template <typename T>
constexpr bool is_option_type() {
  using Element = typename OptionType<T>::Element;
  if (std::is_same_v<Element, bool>) return !OptionType<T>::kList;
  return std::is_same_v<Element, std::int64_t> || std::is_same_v<Element, double> ||
         std::is_same_v<Element, std::string> || std::is_enum_v<Element>;
}

/// The options of one component: binds names to the members of the plain struct `Options`, whose initializers are the
/// defaults.
template <typename Options>
class Schema {
 public:
  /// Refines the option that was just added. T: the type of its member.
  template <typename T>
  class Refine {
   public:
    using Element = typename OptionType<T>::Element;
    Refine(Schema& schema, std::size_t index, T Options::*member) : schema_(schema), index_(index), member_(member) {}

    /// Inclusive range of a number, or of every element of a list.
    Refine& range(double minimum, double maximum = std::numeric_limits<double>::infinity()) {
      static_assert(std::is_arithmetic_v<Element> && !std::is_same_v<Element, bool>, "only numbers have a range");
      spec().minimum = minimum;
      if (maximum != std::numeric_limits<double>::infinity()) spec().maximum = maximum;
      return *this;
    }
    /// The allowed texts.
    template <typename E = Element, std::enable_if_t<std::is_same_v<E, std::string>, int> = 0>
    Refine& choices(std::vector<E> allowed) {
      spec().choices = std::move(allowed);
      return *this;
    }
    /// The words for the values of an enumeration; every enumeration needs them.
    template <typename E = Element, std::enable_if_t<std::is_enum_v<E>, int> = 0>
    Refine& choices(const std::vector<std::pair<std::string, E>>& names) {
      for (const auto& [name, value] : names)
        spec().choices.push_back(name);
      spec().default_value = to_value(schema_.defaults_.*member_, names);
      schema_.setters_[index_] = [member = member_, names](Options& options, const Value& value) {
        options.*member = from_value<T>(value, names);
      };
      return *this;
    }
    /// For a postprocessor's number: the values that are tried when it is tuned on the labeled images.
    Refine& tune(std::vector<double> values) {
      static_assert(std::is_arithmetic_v<Element> && !std::is_same_v<Element, bool>, "only numbers are tuned");
      spec().tuning = std::move(values);
      return *this;
    }
    /// The text names a file or folder. A relative one is relative to the pipeline file in which it stands, or, given
    /// on the command line, to the current folder; the component gets it absolute.
    Refine& path() {
      static_assert(std::is_same_v<T, std::string>, "only a text is a path");
      spec().path = true;
      return *this;
    }
    /// A name that the option had in an earlier version: pipelines that use it are told the new one.
    Refine& formerly(std::string name) {
      spec().former.push_back(std::move(name));
      return *this;
    }
    /// One or two sentences: meaning, unit, source.
    Refine& doc(std::string text) {
      spec().doc = std::move(text);
      return *this;
    }

   private:
    OptionSpec& spec() { return schema_.specs_[index_]; }
    Schema& schema_;
    std::size_t index_;
    T Options::*member_;
  };

  /// Declares the option `name`, kept in `member`; its default is what `member` holds in `Options{}`.
  template <typename T>
  Refine<T> add(std::string name, T Options::*member) {
    static_assert(is_option_type<T>(),
                  "an option is bool, int64_t, double, string or an enumeration, or a vector of the last four");
    for (const auto& spec : specs_) {
      if (spec.name == name) throw Error("the option '" + name + "' is declared twice");
    }
    // Made in its place: GCC 12 warns, in the builds of users, that a variant on the stack is freed.
    OptionSpec& spec = specs_.emplace_back();
    spec.name = std::move(name);
    if constexpr (std::is_enum_v<typename OptionType<T>::Element>) {
      // Until choices() names the values.
      spec.type = OptionType<T>::kList ? ValueType::texts : ValueType::text;
      if (OptionType<T>::kList) {
        spec.default_value.template emplace<std::vector<std::string>>();
      } else {
        spec.default_value.template emplace<std::string>();
      }
      setters_.push_back(nullptr);
    } else {
      spec.default_value.template emplace<T>(defaults_.*member);
      spec.type = type_of(spec.default_value);
      setters_.push_back(
          [member](Options& options, const Value& value) { options.*member = from_value<T>(value, {}); });
    }
    return Refine<T>(*this, specs_.size() - 1, member);
  }

  const std::vector<OptionSpec>& specs() const { return specs_; }

  /// Throws nbs::Error for an enumeration without choices().
  void check() const {
    for (std::size_t i = 0; i < specs_.size(); ++i) {
      if (!setters_[i]) {
        throw Error("the option '" + specs_[i].name +
                    "' is an enumeration whose values have no names; add .choices({{\"name\", value}, …})");
      }
    }
  }

  /// A struct with the defaults, then `values` over them.
  /// Throws nbs::Error that names the option for an unknown name or a value that is not allowed.
  Options make(const OptionValues& values = {}) const {
    Options options{};
    for (const auto& [name, value] : values) {
      std::size_t i = 0;
      while (i < specs_.size() && specs_[i].name != name)
        ++i;
      if (i == specs_.size()) throw Error("there is no option '" + name + "'");
      if (const auto problem = problem_with(specs_[i], value)) throw Error("the option '" + name + "' " + *problem);
      setters_[i](options, value);
    }
    return options;
  }

 private:
  template <typename T, typename E>
  static Value to_value(const T& held, const ChoiceNames<E>& names) {
    if constexpr (OptionType<T>::kList) {
      std::vector<std::string> texts;
      texts.reserve(held.size());
      for (const E value : held)
        texts.push_back(choice_name(value, names));
      return Value{texts};
    } else {
      return Value{choice_name(held, names)};
    }
  }

  // One element of what users wrote; problem_with() has found it right.
  template <typename E, typename From>
  static E element_from(const From& from, [[maybe_unused]] const ChoiceNames<E>& names) {
    if constexpr (std::is_enum_v<E>) {
      if constexpr (std::is_same_v<From, std::string>) {
        for (const auto& [name, value] : names) {
          if (name == from) return value;
        }
      }
      return E{};
    } else if constexpr (std::is_convertible_v<From, E> && std::is_arithmetic_v<From> == std::is_arithmetic_v<E>) {
      return static_cast<E>(from);  // the same, or an integer for a real
    } else {
      return E{};
    }
  }

  template <typename T>
  static T from_value(const Value& value, const ChoiceNames<typename OptionType<T>::Element>& names) {
    using Element = typename OptionType<T>::Element;
    return std::visit(
        [&](const auto& held) -> T {
          using Held = std::decay_t<decltype(held)>;
          if constexpr (OptionType<T>::kList != OptionType<Held>::kList) {
            return T();
          } else if constexpr (OptionType<T>::kList) {
            T list;
            for (const auto& item : held)
              list.push_back(element_from<Element>(item, names));
            return list;
          } else {
            return element_from<Element>(held, names);
          }
        },
        value);
  }

  Options defaults_{};
  std::vector<OptionSpec> specs_;
  std::vector<std::function<void(Options&, const Value&)>> setters_;
};

/// The schema of a struct that declares its options with a static member
/// `declare(Schema<Options>&)`. Throws nbs::Error for a declaration that is wrong.
template <typename Options>
Schema<Options> schema_of() {
  Schema<Options> schema;
  Options::declare(schema);
  schema.check();
  return schema;
}

}  // namespace nbs
