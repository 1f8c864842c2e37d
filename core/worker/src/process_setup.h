// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "session.h"

namespace nbs::worker {

/// Sets this whole process up for tensor work with the session's threads: LibTorch's and OpenBLAS's threads, the heap,
/// how denormal numbers are treated, and the seed of LibTorch's global generator. Call it once, before the session
/// makes a component. A program of somebody else (libnbs) is not ours to set up.
void set_up_process(const Session& session);

}  // namespace nbs::worker
