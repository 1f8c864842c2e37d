// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/error.h"

namespace nbs {

/// A result that should be a number and is NaN or infinite: training has diverged, which ends it with its last good
/// state, and is nobody's mistake in using the interfaces.
class NotFiniteError : public Error {
 public:
  using Error::Error;
};

}  // namespace nbs
