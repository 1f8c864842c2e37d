// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nbs::worker {

/// Sets this whole process up for tensor work with so many threads: LibTorch's and OpenBLAS's threads, the heap, and
/// how denormal numbers are treated. Call it once, before the first tensor is computed.
void set_up_process(std::int64_t threads);

}  // namespace nbs::worker
