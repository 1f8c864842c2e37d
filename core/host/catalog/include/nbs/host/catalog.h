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

/// All plugins that were found. Several libraries may hold one of the same kind and name.
struct Catalog {
  std::vector<PluginDescription> plugins;
  std::vector<Refusal> refusals;
  std::vector<std::string> warnings;
  std::vector<std::string> searched;  ///< folders, in order

  /// The plugin, or null if there is none, or several of which none was chosen. `library` chooses by the name of the
  /// library's file or its whole path; empty: any. Copies of one file count as one.
  const PluginDescription* find(Kind kind, const std::string& name, const std::string& library = "") const;
};

/// Why find() gives nothing: near names, folders searched and libraries refused with their reasons, or the libraries of
/// which one is to be chosen.
std::string unknown_plugin(const Catalog& catalog, Kind kind, const std::string& name, const std::string& library = "");

nlohmann::ordered_json to_json(const Value& value);
nlohmann::ordered_json to_json(const OptionSpec& spec);
nlohmann::ordered_json to_json(const Catalog& catalog);
/// Throws nbs::Error for JSON that is not a catalog.
Catalog catalog_from_json(const nlohmann::ordered_json& json);

}  // namespace nbs::host
