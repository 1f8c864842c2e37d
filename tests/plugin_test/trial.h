// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "error_text.h"
#include "program.h"

// What `nbs test-plugin --json` says of one plugin.

namespace nbs::test {

using Json = nlohmann::ordered_json;

inline const Json& plugin_of(const Json& report, std::string_view kind, std::string_view name) {
  for (const auto& library : report.at("libraries")) {
    for (const auto& plugin : library.at("plugins")) {
      if (plugin.at("kind").get_ref<const std::string&>() == kind &&
          plugin.at("name").get_ref<const std::string&>() == name)
        return plugin;
    }
  }
  throw std::runtime_error("there is no " + std::string(kind) + " " + std::string(name) + " in the report");
}

/// The findings of a check that are failures, joined; "not tried" or "" if there are none.
inline std::string failures_of(const Json& plugin, const std::string& check) {
  for (const auto& one : plugin.at("checks")) {
    if (one.at("check") != check) continue;
    if (one.at("verdict") == "not tried") return "not tried";
    std::string all;
    for (const auto& finding : one.at("findings")) {
      if (finding.at("failure")) all += finding.at("what").get<std::string>() + "\n";
    }
    return all;
  }
  return "no such check";
}

/// Names of the checks that failed, in order, with a blank between them.
inline std::string failed_checks(const Json& plugin) {
  std::string names;
  for (const auto& check : plugin.at("checks")) {
    if (check.at("verdict") == "failed") names += (names.empty() ? "" : " ") + check.at("check").get<std::string>();
  }
  return names;
}

}  // namespace nbs::test
