// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

// Reading JSON that may be incomplete: what is missing, null or of another type is simply not there.

namespace nbs::report {

using Json = nlohmann::ordered_json;

/// The member "a.b" of an object, or null.
inline const Json& member(const Json& json, const std::string& path) {
  static const Json kNothing;
  const Json* at = &json;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = path.find('.', begin);
    if (!at->is_object()) return kNothing;
    const auto found = at->find(path.substr(begin, end - begin));
    if (found == at->end()) return kNothing;
    at = &*found;
    if (end == std::string::npos) return *at;
    begin = end + 1;
  }
}

inline std::optional<double> number_at(const Json& json, const std::string& path) {
  const Json& found = member(json, path);
  if (!found.is_number()) return std::nullopt;
  const double value = found.get<double>();
  if (!std::isfinite(value)) return std::nullopt;
  return value;
}

inline std::optional<std::int64_t> integer_at(const Json& json, const std::string& path) {
  const Json& found = member(json, path);
  if (!found.is_number_integer()) return std::nullopt;
  if (found.is_number_unsigned() && found.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())
    return std::nullopt;
  return found.get<std::int64_t>();
}

inline std::string text_at(const Json& json, const std::string& path) {
  const Json& found = member(json, path);
  return found.is_string() ? found.get<std::string>() : std::string();
}

}  // namespace nbs::report
