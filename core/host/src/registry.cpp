// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/registry.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/host/checked.h"
#include "nbs/host/search_path.h"

#include "guard.h"
#include "keep.h"
#include "library.h"

namespace nbs::host {

Registry::Registry(const std::vector<std::filesystem::path>& folders) {
  for (const auto& folder : folders) {
    catalog_.searched.push_back(folder.string());
    std::vector<std::filesystem::path> files;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    for (const auto& file : files)
      load(file);
  }
}

Registry* Registry::open(const std::vector<std::filesystem::path>& folders) {
  return &keep(new Registry(folders));
}

Registry* Registry::open_here(const std::vector<std::filesystem::path>& files, Catalog known) {
  auto& registry = keep(new Registry(std::move(known)));
  for (const auto& file : files)
    registry.take(file, describe_library_here(file));
  return &registry;
}

std::string Registry::load(const std::filesystem::path& file) {
  return take(file, describe_library(file));
}

std::string Registry::take(const std::filesystem::path& file, Catalog described) {
  if (!described.refusals.empty()) {
    catalog_.refusals.push_back(
        {file.string(), fmt::format("{}: {}", file.string(), described.refusals.front().reason)});
    return catalog_.refusals.back().reason;
  }
  for (const auto& warning : described.warnings)
    catalog_.warnings.push_back(fmt::format("{}: {}", file.string(), warning));
  for (auto& plugin : described.plugins)
    catalog_.plugins.push_back(std::move(plugin));
  return "";
}

Origin Registry::origin_of(Kind kind, const std::string& name, const std::string& location) {
  return {fmt::format("{} \"{}\"", kind_name(kind), name), location};
}

const std::vector<Registration>& Registry::loaded(const PluginDescription& plugin) const {
  const auto at = loaded_.find(plugin.file);
  if (at != loaded_.end()) return at->second;
  auto library = load_library(plugin.file);
  if (library.hash != plugin.hash) {
    throw Error(fmt::format("it has changed since it was looked at: its SHA-256 was {}, and is {}; try again",
                            plugin.hash, library.hash));
  }
  return loaded_.emplace(plugin.file, std::move(library.registrations)).first->second;
}

std::shared_ptr<Component> Registry::make(Kind kind, const std::string& name, const OptionValues& values,
                                          Context& context, const std::string& location,
                                          const std::string& library) const {
  const std::string place = location.empty() ? "" : location + ": ";
  const auto* const plugin = catalog_.find(kind, name, library);
  if (plugin == nullptr) throw Error(place + unknown_plugin(catalog_, kind, name, library));
  const std::vector<Registration>* registrations = nullptr;
  try {
    registrations = &loaded(*plugin);
  } catch (const Error& error) {
    throw Error(fmt::format("{}{}: {}", place, plugin->file, error.what()));
  }
  for (const auto& registration : *registrations) {
    if (registration.kind != kind || registration.name != name) continue;
    const auto origin = origin_of(kind, name, location);
    if (registration.check) guard(origin, "check", [&] { registration.check(values, context.facts()); });
    auto component = guard(origin, "construction", [&] { return registration.make(values, context); });
    if (!component) fail(origin, "construction", "made no object");
    // A library may call a class what it is not.
    if (!is_of_kind(*component, kind)) {
      fail(origin, "construction",
           fmt::format("made an object that is no {0}; derive its class from nbs's interface for a {0}, or register it "
                       "as what it is",
                       kind_name(kind)));
    }
    return component;
  }
  throw Error(fmt::format("{}{}: it no longer holds the {} \"{}\"", place, plugin->file, kind_name(kind), name));
}

}  // namespace nbs::host
