// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "nbs/error.h"
#include "nbs/options.h"

namespace nbs::record {

using Json = nlohmann::ordered_json;
using Pointer = Json::json_pointer;

/// JSON of anybody's for a sentence: printable, and neither endless nor nested.
std::string brief_text(const Json& json);

/// JSON as text for a file. Names of files may be any bytes, but JSON is UTF-8: bytes that are not become U+FFFD,
/// rather than costing the whole file.
std::string file_text(const Json& json);

/// A number, or null if it is none or not finite.
Json number_or_null(const std::optional<double>& value);
Json integer_or_null(const std::optional<std::int64_t>& value);

// The conversions throw nbs::Error, which names `at`, for any other type; nothing is rounded or converted.
void convert(const Json& json, const Pointer& at, std::string& to);
void convert(const Json& json, const Pointer& at, bool& to);
void convert(const Json& json, const Pointer& at, double& to);
void convert(const Json& json, const Pointer& at, std::int64_t& to);
/// The value of an option, whose type is that of the JSON; a list that holds a real is one of reals.
void convert(const Json& json, const Pointer& at, Value& to);

/// Refuses what is no list, or no object.
const Json& list_at(const Json& json, const Pointer& at);
const Json& object_at(const Json& json, const Pointer& at);

[[noreturn]] void refuse(const Json& json, const Pointer& at, const std::string& wanted);

/// Null is nothing.
template <typename T>
void convert(const Json& json, const Pointer& at, std::optional<T>& to) {
  to.reset();
  if (json.is_null()) return;
  T value{};
  convert(json, at, value);
  to = std::move(value);
}

template <typename T>
void convert(const Json& json, const Pointer& at, std::vector<T>& to) {
  to.clear();
  std::size_t index = 0;
  for (const auto& item : list_at(json, at)) {
    T value{};
    convert(item, at / index++, value);
    to.push_back(std::move(value));
  }
}

/// The members of an object at a place of a document.
class Fields {
 public:
  /// `complete`: whether need() insists. Throws nbs::Error if `json` is no object.
  Fields(const Json& json, Pointer at, bool complete = true) : json_(json), at_(std::move(at)), complete_(complete) {
    object_at(json, at_);
  }

  /// The member, or null if it is missing.
  const Json* find(const char* key) const {
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }
  Pointer at(const char* key) const { return at_ / key; }
  bool complete() const { return complete_; }

  /// Reads a member that must be there (in a document that is complete).
  template <typename T>
  void need(const char* key, T& to) const {
    if (const Json* found = find(key)) {
      convert(*found, at(key), to);
    } else if (complete_) {
      throw Error(fmt::format("{} is missing", at(key).to_string()));
    }
  }

  /// Reads a member if it is there.
  template <typename T>
  void take(const char* key, T& to) const {
    if (const Json* found = find(key)) convert(*found, at(key), to);
  }

  /// Reads one of the words in `names`; the member must be there.
  template <typename T>
  void need_word(const char* key, const ChoiceNames<T>& names, T& to) const {
    const Json* found = find(key);
    if (found == nullptr) throw Error(fmt::format("{} is missing", at(key).to_string()));
    std::string word;
    convert(*found, at(key), word);
    std::string known;
    for (const auto& [name, value] : names) {
      if (name == word) {
        to = value;
        return;
      }
      known += (known.empty() ? "\"" : ", \"") + name + '"';
    }
    refuse(*found, at(key), "one of " + known);
  }

 private:
  const Json& json_;
  Pointer at_;
  bool complete_;
};

}  // namespace nbs::record
