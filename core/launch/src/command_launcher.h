// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "nbs/launch/launcher.h"

namespace nbs::launch {

/// Any queue: its three commands are lines of shell in the options. A submission is one task.
std::unique_ptr<Launcher> command_launcher(const LauncherOptions& options);

}  // namespace nbs::launch
