// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nbs::host {

/// For a thread that works with another number of threads than the `global` one that the program has set in LibTorch.
/// A library's first parallel work in a thread may give that thread the global number: LibTorch does so in code that is
/// compiled into the library. After this call that is no fault of a plugin: it is not said, and put back for this
/// thread alone.
void expect_global_thread_count(int global);

}  // namespace nbs::host
