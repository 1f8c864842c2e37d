// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/kind.h"
#include "nbs/state.h"
#include "nbs/tensor.h"

namespace nbs {

/// What every plugin object can do. Calls come from one thread at a time, but for what Autoencoder::concurrent_losses()
/// allows.
class Component {
 public:
  virtual ~Component() = default;

  /// Writes all that is needed to go on exactly where this object stands (parameters, optimizer
  /// state), except the context's generator, which the host keeps. A component without state writes
  /// nothing.
  virtual void save(State& state) const { static_cast<void>(state); }

  /// Reads all that save() of the same version wrote, and asks for it by name, shape and type. `state` may come from a
  /// file of anybody's: State::read() throws on anything else, and numbers of another meaning (a count, a choice) are
  /// checked here. What was not read is refused by the host.
  virtual void load(const State& state) { static_cast<void>(state); }
};

}  // namespace nbs
