// SPDX-License-Identifier: Apache-2.0
#include "library.h"

#include <cstring>

#include <boost/dll/shared_library.hpp>
#include <fmt/format.h>

#include "nbs/base/hash.h"
#include "nbs/error.h"
#include "nbs/host/abi_check.h"
#include "nbs/host/apart.h"
#include "nbs/host/registration_check.h"

#include "complete.h"
#include "guard.h"
#include "keep.h"

namespace nbs::host {

Library load_library(const std::filesystem::path& file) {
  namespace dll = boost::dll;
  if (const auto refusal = refuse_irregular(file)) throw Error(*refusal);
  if (const auto refusal = refuse_cut_short(file)) throw Error(*refusal);
  Library library;
  library.hash = file_sha256(file);
  const Origin origin{file.string(), ""};
  // Kept for ever: unloading would pull the code from under what the plugin has made.
  auto& handle = keep(new dll::shared_library());
  try {
    const CallNote note("its static initializers", nullptr);
    const KeptState kept(origin, "initialization");
    // The throwing overload keeps the linker's text; `now` finds a missing symbol here and not in the middle of a run.
    handle.load(file.string(), dll::load_mode::rtld_now | dll::load_mode::rtld_local);
  } catch (const std::exception& error) {
    throw Error(fmt::format("it cannot be loaded: {}", error.what()));
  } catch (...) {
    throw Error("it cannot be loaded: one of its static initializers threw something that is not a std::exception");
  }
  if (!handle.has("nbs_plugin_abi") || !handle.has("nbs_plugin_register")) {
    throw Error(
        "it is a shared library but no plugin of nbs: it lacks the symbol nbs_plugin_abi or nbs_plugin_register; "
        "use NBS_PLUGIN once in it, or keep it elsewhere");
  }
  static constexpr AbiRecord kHost = make_abi_record("nbs", "host");
  // Only the mark and the sizes are read before they are known to be right.
  const auto& record = handle.get<const AbiRecord>("nbs_plugin_abi");
  if (const auto refusal = refuse_abi(record, kHost, library.warnings)) throw Error(*refusal);
  library.name.assign(record.plugin_name, strnlen(record.plugin_name, sizeof record.plugin_name));
  library.version.assign(record.plugin_version, strnlen(record.plugin_version, sizeof record.plugin_version));
  Registrar registrar;
  try {
    const CallNote note("its registration", nullptr);
    const KeptState kept(origin, "registration");
    handle.get<void(Registrar&)>("nbs_plugin_register")(registrar);
  } catch (const std::exception& error) {
    throw Error(fmt::format("its registration failed: {}", error.what()));
  } catch (...) {
    throw Error("its registration threw something that is not a std::exception");
  }
  library.registrations = registrar.registrations();
  if (const auto refusal = refuse_registrations(library.registrations)) throw Error(*refusal);
  return library;
}

namespace {

Catalog description_of(const std::filesystem::path& file) {
  Catalog catalog;
  try {
    const auto library = load_library(file);
    catalog.warnings = library.warnings;
    for (const auto& registration : library.registrations) {
      PluginDescription description;
      description.kind = registration.kind;
      description.name = registration.name;
      description.doc = registration.doc;
      description.options = registration.options;
      description.library = library.name;
      description.version = library.version;
      description.hash = library.hash;
      catalog.plugins.push_back(std::move(description));
    }
  } catch (const Error& error) {
    catalog.refusals.push_back({"", error.what()});
  }
  return catalog;
}

Catalog refused_for(std::string reason) {
  Catalog catalog;
  catalog.refusals.push_back({"", std::move(reason)});
  return catalog;
}

}  // namespace

Catalog describe_library_here(const std::filesystem::path& file) {
  auto catalog = description_of(file);
  for (auto& plugin : catalog.plugins)
    plugin.file = file.string();
  return catalog;
}

Catalog describe_library(const std::filesystem::path& file) {
  using Json = nlohmann::ordered_json;
  const auto result =
      run_apart(1,
                [&](std::size_t) {
                  // A text of the library may be any bytes, but JSON is UTF-8: bytes that are not become U+FFFD.
                  return to_json(description_of(file)).dump(-1, ' ', false, Json::error_handler_t::replace);
                },
                {plugin_seconds()});
  const auto& described = result.front();
  if (!described.failure.empty()) {
    return refused_for(fmt::format("it {}, when a process of its own was to find out what it holds; mend or remove it",
                                   described.failure));
  }
  try {
    auto catalog = catalog_from_json(Json::parse(described.answer));
    for (auto& plugin : catalog.plugins)
      plugin.file = file.string();
    return catalog;
  } catch (const std::exception& error) {
    return refused_for(fmt::format("what it says of itself cannot be read: {}", error.what()));
  }
}

}  // namespace nbs::host
