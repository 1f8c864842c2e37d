// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "nbs/error.h"
#include "nbs/option_spec.h"

// Options, declared once. From one declaration come defaults, checking, `nbs plugins NAME`,
// overrides, the resolved file, completion and documentation. No LibTorch here: the front end reads
// these headers too.

namespace nbs {

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
  using Element = T;                    ///< T itself
  static constexpr bool kList = false;  ///< it is one value
};
/// The same for a list.
template <typename T>
struct OptionType<std::vector<T>> {
  using Element = T;                   ///< of the list
  static constexpr bool kList = true;  ///< it is a list
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
  /// With what `Options{}` holds as defaults.
  Schema() = default;
  /// With what `defaults` holds.
  explicit Schema(Options defaults) : defaults_(std::move(defaults)) {}

  /// Refines the option that was just added. T: the type of its member.
  template <typename T>
  class Refine {
   public:
    using Element = typename OptionType<T>::Element;  ///< what ranges and choices are about
    /// Made by add(), of the option `index`.
    Refine(Schema& schema, std::size_t index, T Options::*member) : schema_(schema), index_(index), member_(member) {}

    /// Inclusive range of a number, or of every element of a list.
    Refine& range(double minimum, double maximum) { return at_least(minimum).at_most(maximum); }
    /// The same without an upper bound.
    Refine& at_least(double minimum) {
      require_number();
      spec().minimum = minimum;
      return *this;
    }
    /// The same without a lower bound.
    Refine& at_most(double maximum) {
      require_number();
      spec().maximum = maximum;
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
    static void require_number() {
      static_assert(std::is_arithmetic_v<Element> && !std::is_same_v<Element, bool>, "only numbers have a range");
    }
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
    require_new(name);
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

  /// Declares all options of `Part`, the options of a component that this one is made of, as `prefix` and their names;
  /// they are kept in `member`, and their defaults are what it holds in `Options{}`. Names that they had in earlier
  /// versions of `Part` are not taken over.
  template <typename Part>
  void add_part(const std::string& prefix, Part Options::*member) {
    Schema<Part> part(defaults_.*member);
    Part::declare(part);
    for (std::size_t i = 0; i < part.specs_.size(); ++i) {
      auto spec = part.specs_[i];
      spec.name = prefix + spec.name;
      spec.former.clear();
      require_new(spec.name);
      specs_.push_back(std::move(spec));
      setters_.push_back(nullptr);  // stays so for an enumeration without choices(), which check() reports
      if (!part.setters_[i]) continue;
      setters_.back() = [member, set = part.setters_[i]](Options& options, const Value& value) {
        set(options.*member, value);
      };
    }
  }

  /// All that was declared, in that order.
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
  template <typename Other>
  friend class Schema;  // add_part()

  void require_new(const std::string& name) const {
    for (const auto& spec : specs_) {
      if (spec.name == name) throw Error("the option '" + name + "' is declared twice");
    }
  }

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
            list.reserve(held.size());
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
