// SPDX-License-Identifier: Apache-2.0
#include "nbs/record/provenance.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "fields.h"
#include "nbs_revision.h"

namespace nbs::record {

namespace {

struct TextKey {
  const char* key;
  std::string Provenance::*value;
};
// The number of threads stands between them.
constexpr TextKey kMachine[] = {{"nbs", &Provenance::nbs},
                                {"revision", &Provenance::revision},
                                {"libtorch", &Provenance::libtorch},
                                {"compiler", &Provenance::compiler},
                                {"processor", &Provenance::processor}};
constexpr const char* kThreads = "threads";
constexpr TextKey kRun[] = {{"device", &Provenance::device}, {"started", &Provenance::started}};

struct PluginKey {
  const char* key;
  std::string PluginRecord::*value;
};
constexpr PluginKey kPlugin[] = {{"kind", &PluginRecord::kind},
                                 {"name", &PluginRecord::name},
                                 {"version", &PluginRecord::version},
                                 {"file", &PluginRecord::file},
                                 {"sha256", &PluginRecord::sha256}};

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const auto colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

}  // namespace

std::string version_text() {
  return fmt::format("{} ({})", NBS_VERSION, *NBS_REVISION ? NBS_REVISION : "no revision known");
}

Provenance provenance_of(const config::Pipeline& pipeline, const host::Catalog& catalog, const std::string& libtorch,
                         std::int64_t threads) {
  Provenance provenance;
  provenance.nbs = NBS_VERSION;
  provenance.revision = NBS_REVISION;
  provenance.libtorch = libtorch;
  provenance.compiler = __VERSION__;
  provenance.processor = processor();
  provenance.threads = threads;
  provenance.device = choice_name(pipeline.train.options.device, config::devices());
  provenance.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  config::visit_components(pipeline, [&](Kind kind, const std::string&, const config::ComponentSpec& spec) {
    const auto* const plugin = catalog.find(kind, spec.plugin, spec.library);
    if (plugin == nullptr) return;
    provenance.plugins.push_back({kind_name(kind), plugin->name, plugin->version,
                                  std::filesystem::path(plugin->file).filename().string(), plugin->hash});
  });
  return provenance;
}

std::vector<std::string> changed_plugins(const Provenance& run, const config::Pipeline& now) {
  std::vector<std::string> changes;
  std::map<std::string, std::size_t> seen;  // of each kind
  config::visit_components(now, [&](Kind kind, const std::string&, const config::ComponentSpec& spec) {
    auto skip = seen[kind_name(kind)]++;
    const auto at = std::find_if(run.plugins.begin(), run.plugins.end(), [&](const PluginRecord& plugin) {
      return plugin.kind == kind_name(kind) && skip-- == 0;
    });
    const std::string name = fmt::format("the {} \"{}\"", kind_name(kind), spec.plugin);
    if (at == run.plugins.end() || at->sha256.empty()) {
      changes.push_back(fmt::format("nothing is known of the library of {} in the run", name));
    } else if (at->sha256 != spec.hash) {
      changes.push_back(fmt::format("{} was {} {} with the SHA-256 {} in the run, and is a library with {} now", name,
                                    at->file, at->version, at->sha256, spec.hash));
    }
  });
  return changes;
}

std::vector<std::pair<std::string, std::string>> facts(const Provenance& provenance) {
  std::vector<std::pair<std::string, std::string>> all;
  const auto add = [&](const auto& keys) {
    for (const auto& [key, value] : keys) {
      if (!(provenance.*value).empty()) all.emplace_back(key, provenance.*value);
    }
  };
  add(kMachine);
  if (provenance.threads) all.emplace_back(kThreads, std::to_string(*provenance.threads));
  add(kRun);
  return all;
}

Json to_json(const Provenance& provenance) {
  Json json;
  for (const auto& [key, value] : kMachine)
    json[key] = provenance.*value;
  json[kThreads] = integer_or_null(provenance.threads);
  for (const auto& [key, value] : kRun)
    json[key] = provenance.*value;
  auto& plugins = json["plugins"] = Json::array();
  for (const auto& plugin : provenance.plugins) {
    auto& entry = plugins.emplace_back();
    for (const auto& [key, value] : kPlugin)
      entry[key] = plugin.*value;
  }
  return json;
}

Provenance provenance_from_json(const Json& json) {
  Provenance provenance;
  const Fields fields(json, Pointer());
  for (const auto& [key, value] : kMachine)
    fields.take(key, provenance.*value);
  fields.take(kThreads, provenance.threads);
  for (const auto& [key, value] : kRun)
    fields.take(key, provenance.*value);
  if (const Json* found = fields.find("plugins")) {
    const auto list = fields.at("plugins");
    std::size_t index = 0;
    for (const auto& entry : list_at(*found, list)) {
      const Fields own(entry, list / index++);
      auto& plugin = provenance.plugins.emplace_back();
      for (const auto& [key, value] : kPlugin)
        own.take(key, plugin.*value);
    }
  }
  return provenance;
}

}  // namespace nbs::record
