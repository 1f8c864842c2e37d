// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "nbs/launch/worker_process.h"

namespace nbs::launch {

/// Starts a worker that the system tells to end (SIGTERM) when this thread is gone. `output`, unless -1, becomes its
/// standard output; `how.seconds` is not looked at. Throws nbs::Error if no process can be started; a worker whose
/// program cannot be started says so and ends with 127.
pid_t spawn_worker(const std::vector<std::string>& arguments, int output, const WorkerStart& how);

}  // namespace nbs::launch
