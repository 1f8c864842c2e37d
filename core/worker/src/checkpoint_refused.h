// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "nbs/error.h"

namespace nbs::worker {

/// A checkpoint that a run must not go on from: damaged, or of something else. A sentence.
class CheckpointRefused : public Error {
 public:
  using Error::Error;
};

}  // namespace nbs::worker
