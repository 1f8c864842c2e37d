// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "nbs/config/pipeline.h"

namespace nbs::record {

/// "0.1.0 (revision)".
std::string version_text();

/// A plugin that a run used.
struct PluginRecord {
  std::string kind;
  std::string name;
  std::string version;
  std::string file;    ///< name of its library
  std::string sha256;  ///< of its library
};

/// Where a result comes from: provenance.json. What a file lacks is empty.
struct Provenance {
  std::string nbs;       ///< version
  std::string revision;  ///< of the sources
  std::string libtorch;  ///< version
  std::string compiler;
  std::string processor;
  std::optional<std::int64_t> threads;
  std::string device;
  std::string started;  ///< ISO 8601, UTC
  std::vector<PluginRecord> plugins;
};

/// Of a run that starts now.
Provenance provenance_of(const config::Pipeline& pipeline, const host::Catalog& catalog, const std::string& libtorch,
                         std::int64_t threads);

/// How the plugins of `now`, which was resolved on this machine, differ from those of a run of the same pipeline: a
/// clause for each that does, with both hashes. Components that `now` lacks are not compared.
std::vector<std::string> changed_plugins(const Provenance& run, const config::Pipeline& now);

/// All but the plugins, by the names that the file uses; those that are not known are left out.
std::vector<std::pair<std::string, std::string>> facts(const Provenance& provenance);

nlohmann::ordered_json to_json(const Provenance& provenance);
/// Throws nbs::Error, a clause that names the JSON pointer, for a wrong type.
Provenance provenance_from_json(const nlohmann::ordered_json& json);

}  // namespace nbs::record
