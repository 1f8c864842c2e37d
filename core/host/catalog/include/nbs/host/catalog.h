// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "nbs/kind.h"
#include "nbs/options.h"

namespace nbs::host {

/// A plugin as users see it: everything but its code.
struct PluginDescription {
  Kind kind = Kind::sampler;
  std::string name;
  std::string doc;
  std::vector<OptionSpec> options;
  std::string file;     ///< of its library
  std::string library;  ///< the library's own name
  std::string version;  ///< of the library
  std::string hash;     ///< SHA-256 of the file, in hexadecimal
};

/// A library that was found but not taken, and why, as a sentence.
struct Refusal {
  std::string file;
  std::string reason;
};

/// All plugins that were found.
struct Catalog {
  std::vector<PluginDescription> plugins;
  std::vector<Refusal> refusals;
  std::vector<std::string> warnings;
  std::vector<std::string> searched;  ///< folders, in order

  /// The plugin, or null.
  const PluginDescription* find(Kind kind, const std::string& name) const;
};

/// Why there is no such plugin: near names, folders searched, libraries refused with their reasons.
std::string unknown_plugin(const Catalog& catalog, Kind kind, const std::string& name);

nlohmann::ordered_json to_json(const Value& value);
nlohmann::ordered_json to_json(const OptionSpec& spec);
nlohmann::ordered_json to_json(const Catalog& catalog);
/// Throws nbs::Error for JSON that is not a catalog.
Catalog catalog_from_json(const nlohmann::ordered_json& json);

}  // namespace nbs::host
