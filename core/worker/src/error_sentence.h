// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

namespace nbs::worker {

/// What an exception says, as a sentence for users: without LibTorch's backtrace, and with what to do when memory ran
/// out, whichever library noticed it.
std::string error_sentence(const std::exception& error);

}  // namespace nbs::worker
