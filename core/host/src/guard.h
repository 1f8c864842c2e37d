// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <utility>

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include "nbs/host/checked.h"
#include "nbs/not_finite.h"

namespace nbs::host {

inline std::string sentence(const Origin& origin, const char* method, const std::string& reason) {
  const std::string place = origin.location.empty() ? "" : origin.location + ": ";
  return fmt::format("{}{}, {}(): {}", place, origin.plugin, method, reason);
}

[[noreturn]] inline void fail(const Origin& origin, const char* method, const std::string& reason) {
  throw Error(sentence(origin, method, reason));
}

/// Calls `function` and turns whatever a plugin throws into one sentence that names it.
template <typename Function>
auto guard(const Origin& origin, const char* method, Function&& function) -> decltype(function()) {
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
