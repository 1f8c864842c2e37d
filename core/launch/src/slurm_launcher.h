// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "nbs/launch/launcher.h"

namespace nbs::launch {

/// Slurm, by sbatch, squeue, scancel, scontrol, sacctmgr and sacct. A submission is a job array.
std::unique_ptr<Launcher> slurm_launcher(const LauncherOptions& options);

}  // namespace nbs::launch
