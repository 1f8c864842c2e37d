// SPDX-License-Identifier: Apache-2.0
#include "nbs/host/registry.h"

#include <algorithm>

#include <fmt/format.h>

#include "nbs/base/hash.h"
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

std::string Registry::load(const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& reason) {
    catalog_.refusals.push_back({file.string(), fmt::format("{}: {}", file.string(), reason)});
    return catalog_.refusals.back().reason;
  };
  Library library;
  try {
    library = load_library(file);
  } catch (const Error& error) {
    return refuse(error.what());
  }
  for (const auto& registration : library.registrations) {
    if (const auto* taken = catalog_.find(registration.kind, registration.name)) {
      return refuse(
          fmt::format("it holds the {} \"{}\", but {} holds one of that name too; rename or remove one of them",
                      kind_name(registration.kind), registration.name, taken->file));
    }
  }
  for (const auto& warning : library.warnings)
    catalog_.warnings.push_back(fmt::format("{}: {}", file.string(), warning));
  const std::string hash = file_sha256(file);
  for (auto& registration : library.registrations) {
    PluginDescription description;
    description.kind = registration.kind;
    description.name = registration.name;
    description.doc = registration.doc;
    description.options = registration.options;
    description.file = file.string();
    description.library = library.name;
    description.version = library.version;
    description.hash = hash;
    catalog_.plugins.push_back(std::move(description));
    registrations_.push_back(std::move(registration));
  }
  return "";
}

Origin Registry::origin_of(Kind kind, const std::string& name, const std::string& location) {
  return {fmt::format("{} \"{}\"", kind_name(kind), name), location};
}

std::shared_ptr<Component> Registry::make(Kind kind, const std::string& name, const OptionValues& values,
                                          Context& context, const std::string& location) const {
  for (const auto& registration : registrations_) {
    if (registration.kind != kind || registration.name != name) continue;
    const auto origin = origin_of(kind, name, location);
    auto component = guard(origin, "construction", [&] { return registration.make(values, context); });
    if (!component) fail(origin, "construction", "made no object");
    return component;
  }
  throw Error((location.empty() ? "" : location + ": ") + unknown_plugin(catalog_, kind, name));
}

}  // namespace nbs::host
