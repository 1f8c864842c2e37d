// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/kind.h"
#include "nbs/tensor.h"

namespace torch::serialize {
class InputArchive;
class OutputArchive;
}  // namespace torch::serialize

namespace nbs {

/// What every plugin object can do. Calls come from one thread at a time.
class Component {
 public:
  virtual ~Component() = default;

  /// Writes all that is needed to go on exactly where this object stands (parameters, optimiser
  /// state), except the context's generator, which the host keeps. A component without state writes
  /// nothing.
  virtual void save(torch::serialize::OutputArchive& archive) const { static_cast<void>(archive); }

  /// Reads what save() of the same version wrote. Throws on anything else.
  virtual void load(torch::serialize::InputArchive& archive) { static_cast<void>(archive); }
};

}  // namespace nbs
