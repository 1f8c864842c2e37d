// SPDX-License-Identifier: Apache-2.0
#include "fields.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nbs::record {

namespace {

bool is_integer(const Json& json) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  return json.is_number_integer() && (!json.is_number_unsigned() || json.get<std::uint64_t>() <= kLargest);
}

template <typename Test>
bool all_of(const Json& list, Test test) {
  return std::all_of(list.begin(), list.end(), test);
}

}  // namespace

std::string brief_text(const Json& json) {
  if (json.is_structured()) return json.is_array() ? "a list" : "an object";
  auto text = json.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 60) + "…";
  return text;
}

std::string file_text(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json number_or_null(const std::optional<double>& value) {
  if (!value || !std::isfinite(*value)) return nullptr;
  return *value;
}

Json integer_or_null(const std::optional<std::int64_t>& value) {
  if (!value) return nullptr;
  return *value;
}

void refuse(const Json& json, const Pointer& at, const std::string& wanted) {
  const auto place = at.to_string();
  throw Error(
      fmt::format("{} is {}, but {} is wanted", place.empty() ? "the whole of it" : place, brief_text(json), wanted));
}

void convert(const Json& json, const Pointer& at, std::string& to) {
  if (!json.is_string()) refuse(json, at, "a text");
  to = json.get<std::string>();
}

void convert(const Json& json, const Pointer& at, bool& to) {
  if (!json.is_boolean()) refuse(json, at, "true or false");
  to = json.get<bool>();
}

void convert(const Json& json, const Pointer& at, double& to) {
  if (!json.is_number()) refuse(json, at, "a number");
  to = json.get<double>();
}

void convert(const Json& json, const Pointer& at, std::int64_t& to) {
  if (!is_integer(json)) refuse(json, at, "an integer");
  to = json.get<std::int64_t>();
}

void convert(const Json& json, const Pointer& at, Value& to) {
  if (json.is_boolean()) {
    to = json.get<bool>();
  } else if (is_integer(json)) {
    to = json.get<std::int64_t>();
  } else if (json.is_number()) {
    to = json.get<double>();
  } else if (json.is_string()) {
    to = json.get<std::string>();
  } else if (json.is_array() && all_of(json, is_integer)) {
    to = json.get<std::vector<std::int64_t>>();
  } else if (json.is_array() && all_of(json, [](const Json& item) { return item.is_number(); })) {
    to = json.get<std::vector<double>>();
  } else if (json.is_array() && all_of(json, [](const Json& item) { return item.is_string(); })) {
    to = json.get<std::vector<std::string>>();
  } else {
    refuse(json, at, "the value of an option");
  }
}

const Json& list_at(const Json& json, const Pointer& at) {
  if (!json.is_array()) refuse(json, at, "a list");
  return json;
}

const Json& object_at(const Json& json, const Pointer& at) {
  if (!json.is_object()) refuse(json, at, "an object");
  return json;
}

}  // namespace nbs::record
