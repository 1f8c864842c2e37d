// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <utility>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "nbs/host/breach.h"
#include "nbs/host/checked.h"
#include "nbs/host/crash.h"
#include "nbs/not_finite.h"

#include "kept_state.h"

namespace nbs::host {

inline std::string sentence(const Origin& origin, const char* method, const std::string& reason) {
  const std::string place = origin.location.empty() ? "" : origin.location + ": ";
  return fmt::format("{}{}, {}(): {}", place, origin.plugin, method, reason);
}

[[noreturn]] inline void fail(const Origin& origin, const char* method, const std::string& reason) {
  throw Error(sentence(origin, method, reason));
}

/// The same for a promise that the plugin has broken.
[[noreturn]] inline void breach(const Origin& origin, const char* method, const std::string& reason) {
  throw Breach(sentence(origin, method, reason));
}

/// Calls `function` and turns whatever a plugin throws into one sentence that names it. A crash in it is blamed on it,
/// and what it changes of the process' state is put back.
template <typename Function>
auto guard(const Origin& origin, const char* method, Function&& function) -> decltype(function()) {
  const CallNote note(origin.plugin.c_str(), method);
  const KeptState kept(origin, method);
  try {
    return std::forward<Function>(function)();
  } catch (const NotFiniteError&) {
    // A sampler that asked for losses of a diverged autoencoder: still divergence, not the sampler's fault.
    throw;
  } catch (const c10::Error& error) {
    fail(origin, method, error.what_without_backtrace());
  } catch (const std::exception& error) {
    fail(origin, method, error.what());
  } catch (...) {
    fail(origin, method, "threw something that is not a std::exception");
  }
}

}  // namespace nbs::host
