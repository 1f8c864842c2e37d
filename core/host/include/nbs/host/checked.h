// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "nbs/component.h"
#include "nbs/kind.h"

namespace nbs::host {

/// How errors name a component: its plugin and the place in the pipeline file.
struct Origin {
  std::string plugin;    ///< "sampler \"rl\""
  std::string location;  ///< "file.toml:12:1", or empty
};

/// The same component behind a guard: exceptions of the plugin become one nbs::Error that names plugin, method and
/// place, and results that break the interface's promises are refused with both values. `Interface` is the interface of
/// a kind (Sampler, Autoencoder, …); the end of checked.cpp lists them.
template <typename Interface>
std::shared_ptr<Interface> checked(std::shared_ptr<Interface> component, Origin origin);

/// Whether an object is of a kind: a library may have registered it as what it is not.
bool is_of_kind(const Component& component, Kind kind);

}  // namespace nbs::host
