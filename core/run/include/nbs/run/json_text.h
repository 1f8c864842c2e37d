// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace nbs::run {

/// JSON as text. Names of files may be any bytes, but JSON is UTF-8: bytes that are not become U+FFFD, rather than
/// costing the whole file.
inline std::string json_text(const nlohmann::ordered_json& json, int indent = 1) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace nbs::run
