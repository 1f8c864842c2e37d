// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "nbs/record/run_directory.h"
#include "nbs/training/members.h"

#include "progress.h"
#include "run_data.h"
#include "session.h"

namespace nbs::worker {

/// What follows training: writes the models that `outcome` holds, masks all images, scores them and writes pictures.
/// `result` gets what is found, and `write_result` writes what it holds by then: scores before any picture is written.
/// Returns whether what explains the run (diagnostics.json) could be written. Throws nbs::Error.
bool mask_and_score(Session& session, const training::TrainedRun& outcome, const RunData& data,
                    const record::RunDirectory& out, Progress& progress, record::RunResult& result,
                    const std::function<void()>& write_result);

}  // namespace nbs::worker
