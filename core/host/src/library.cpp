// SPDX-License-Identifier: Apache-2.0
#include "library.h"

#include <cstring>

#include <boost/dll/shared_library.hpp>
#include <fmt/format.h>

#include "nbs/error.h"
#include "nbs/host/abi_check.h"
#include "nbs/host/registration_check.h"

#include "complete.h"
#include "keep.h"

namespace nbs::host {

Library load_library(const std::filesystem::path& file) {
  namespace dll = boost::dll;
  if (const auto refusal = refuse_irregular(file)) throw Error(*refusal);
  if (const auto refusal = refuse_cut_short(file)) throw Error(*refusal);
  // Kept for ever: unloading would pull the code from under what the plugin has made.
  auto& handle = keep(new dll::shared_library());
  try {
    // The throwing overload keeps the linker's text; `now` finds a missing symbol here and not in the middle of a run.
    handle.load(file.string(), dll::load_mode::rtld_now | dll::load_mode::rtld_local);
  } catch (const std::exception& error) {
    throw Error(fmt::format("it cannot be loaded: {}", error.what()));
  }
  if (!handle.has("nbs_plugin_abi") || !handle.has("nbs_plugin_register")) {
    throw Error(
        "it is a shared library but no plugin of nbs: it lacks the symbol nbs_plugin_abi or nbs_plugin_register; "
        "use NBS_PLUGIN once in it, or keep it elsewhere");
  }
  static constexpr AbiRecord kHost = make_abi_record("nbs", "host");
  Library library;
  // Only the mark and the sizes are read before they are known to be right.
  const auto& record = handle.get<const AbiRecord>("nbs_plugin_abi");
  if (const auto refusal = refuse_abi(record, kHost, library.warnings)) throw Error(*refusal);
  library.name.assign(record.plugin_name, strnlen(record.plugin_name, sizeof record.plugin_name));
  library.version.assign(record.plugin_version, strnlen(record.plugin_version, sizeof record.plugin_version));
  Registrar registrar;
  try {
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

}  // namespace nbs::host
