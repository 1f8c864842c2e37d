// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nbs/abi.h"

namespace nbs::host {

/// Compares a plugin's record with the host's own. Returns why the library must be refused (what it was built for, what
/// the host has, what to do), or nothing; adds differences that do no harm to `warnings`.
/// API major equal, the plugin's minor not above the host's; LibTorch, C++ library ABI and CUDA exact.
std::optional<std::string> refuse_abi(const AbiRecord& plugin, const AbiRecord& host,
                                      std::vector<std::string>& warnings);

}  // namespace nbs::host
