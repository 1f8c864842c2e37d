// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/error.h"

namespace nbs::host {

/// A plugin has broken a promise of its interface: what it returned, or wrote to, is not what the interface allows. An
/// exception that the plugin has thrown itself is an nbs::Error and no breach.
class Breach : public Error {
 public:
  using Error::Error;
};

}  // namespace nbs::host
