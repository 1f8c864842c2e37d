// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "nbs/data/image_store.h"

namespace nbs::data {

/// Calls `work` with 0 … count - 1 from up to reading.threads threads (16 at most), and meanwhile tells
/// reading.progress. An exception stops it and is thrown again: that of the smallest number that has one. Throws
/// ReadingStopped.
void in_parallel(std::int64_t count, const char* what, const Reading& reading,
                 const std::function<void(std::int64_t)>& work);

}  // namespace nbs::data
