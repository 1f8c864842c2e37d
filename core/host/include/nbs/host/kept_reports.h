// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

namespace nbs::host {

/// What calls of plugins have changed that is the whole process' (threads, gradient mode, default type, LibTorch's
/// global generator) is said on standard error, once for each plugin and method. From now on `report` gets these
/// sentences instead. Call it before plugins run.
void collect_kept_reports(std::function<void(const std::string&)> report);

}  // namespace nbs::host
